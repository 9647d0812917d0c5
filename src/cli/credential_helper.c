#include "cli/credential_helper.h"

#include <string.h>

#include "base/json_reader.h"
#include "base/json_writer.h"
#include "cli/cli.h"

enum { INPUT_MAX_BYTES = 64 * 1024, OUTPUT_MAX_BYTES = 256 * 1024 };

/* One run. */
struct helper {
    struct cli cli;
    struct strbuf input;
    struct strbuf answer;
};

/* Docker compares the text: then it goes on without. */
static enum error_code not_found(struct error *err)
{
    return error_set(err, ERROR_NOT_FOUND, "credentials not found in native keychain");
}

/* A host with or without scheme and path. */
static enum error_code parse_server(struct helper *helper, struct str text, struct error *err)
{
    struct str server = str_slice(text, 0, str_index_of(text, '\n'));

    server = str_trim(str_slice(server, 0, str_index_of(server, '\r')));
    if (server.length == 0) {
        return error_set(err, ERROR_INVALID, "no credentials server URL");
    }
    return registry_url_parse(server, &helper->cli.arena, &helper->cli.url, NULL) ? not_found(err)
                                                                                  : OK;
}

/* Only where somebody has logged in: docker asks for all hosts, and a service user's token must
 * not go to others. */
static enum error_code find_registered(struct helper *helper, struct error *err)
{
    struct cli *const cli = &helper->cli;
    struct json_value *logins = NULL;
    struct login login;
    enum error_code code = login_store_read(cli->paths.logins, &logins, err);

    if (code) {
        return code;
    }
    login = login_store_find(logins, cli->url.host, &cli->arena);
    json_value_free(logins);
    return login.kind == LOGIN_NONE ? not_found(err) : cli_find_login(cli, err);
}

static enum error_code helper_get(struct helper *helper, struct error *err)
{
    struct json_writer writer;
    struct cli *const cli = &helper->cli;
    enum error_code code = parse_server(helper, strbuf_str(&helper->input), err);

    if (!code) {
        code = find_registered(helper, err);
    }
    if (code) {
        return code;
    }
    json_writer_init(&writer, &helper->answer);
    json_writer_begin_object(&writer);
    json_writer_member(&writer, "ServerURL", str_from(cli->url.host));
    json_writer_member(&writer, "Username", str_from(access_user_name(&cli->login)));
    json_writer_member(&writer, "Secret", cli->login.secret);
    json_writer_end_object(&writer);
    return OK;
}

static enum error_code helper_keep(struct helper *helper, struct str user, struct str secret,
                                   struct error *err)
{
    struct login login = {
        .kind = str_is(user, "oauth2") ? LOGIN_OAUTH : LOGIN_PASSWORD,
        .user = user,
        .secret = secret,
    };
    const struct access access = cli_access(&helper->cli);

    if (login.kind == LOGIN_OAUTH) {
        login_set_lifetime(&login, clock_wall_ms(helper->cli.clock), 0);
    }
    return access_keep_given(&access, helper->cli.url.host, &login, err);
}

static enum error_code helper_store(struct helper *helper, struct error *err)
{
    static const struct json_subject subject = {.name = "the input", .code = ERROR_INVALID};
    struct json_reader reader;
    struct str user;
    struct str secret;
    struct str server;
    enum error_code code = OK;

    json_reader_open(&reader, strbuf_str(&helper->input), &subject, &helper->cli.arena, err);
    user = json_reader_text(&reader, "Username");
    secret = json_reader_text(&reader, "Secret");
    server = json_reader_text(&reader, "ServerURL");
    code = json_reader_close(&reader);
    if (!code && user.length == 0) {
        code = error_set(err, ERROR_INVALID, "no credentials username");
    }
    if (!code) {
        code = parse_server(helper, server, err);
    }
    return code ? code : helper_keep(helper, user, secret, err);
}

static enum error_code erase(struct helper *helper, struct error *err)
{
    const struct login nobody = {.kind = LOGIN_NONE};
    const struct access access = cli_access(&helper->cli);
    bool was_there = false;
    enum error_code code = parse_server(helper, strbuf_str(&helper->input), err);

    if (!code) {
        code = access_keep(&access, helper->cli.url.host, &nobody, &was_there, err);
    }
    return code || was_there ? code : not_found(err);
}

static void write_login(void *context, const char *host, struct str user)
{
    json_writer_member(context, host, user);
}

static enum error_code helper_list(struct helper *helper, struct error *err)
{
    struct json_value *logins = NULL;
    struct json_writer writer;
    const struct login_visitor visitor = {&writer, write_login};
    const enum error_code code = login_store_read(helper->cli.paths.logins, &logins, err);

    if (code) {
        return code;
    }
    json_writer_init(&writer, &helper->answer);
    json_writer_begin_object(&writer);
    login_store_each(logins, &visitor);
    json_writer_end_object(&writer);
    json_value_free(logins);
    return OK;
}

static const struct {
    const char *action;
    enum error_code (*run)(struct helper *helper, struct error *err);
} actions[] = {
    {"get", helper_get}, {"store", helper_store}, {"erase", erase}, {"list", helper_list}};

/* `list` has none: docker closes it. */
static void helper_read_input(FILE *file, struct strbuf *buf)
{
    int byte = 0;

    while (!buf->is_truncated && (byte = fgetc(file)) != EOF) {
        strbuf_append_byte(buf, (char)byte);
    }
}

static enum error_code helper_run(struct helper *helper, const char *action,
                                  const struct cli_start *start, FILE *input, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (strcmp(action, actions[i].action) == 0) {
            const enum error_code code = cli_open(&helper->cli, start, err);

            helper_read_input(input, &helper->input);
            return code ? code : actions[i].run(helper, err);
        }
    }
    return error_set(err, ERROR_UNSUPPORTED, "Unknown credential action `%.64s`", action);
}

int credential_helper_run(int argc, char *const argv[], char *const *environment, FILE *input,
                          FILE *output)
{
    static const struct options none = {0};
    const struct cli_start start = {&none, environment, output, stderr};
    const char *const action = argc == 2 ? argv[1] : "";
    struct helper helper = {0};
    struct error err = {0};
    enum error_code code = OK;

    if (strcmp(action, "version") == 0 || strcmp(action, "--version") == 0) {
        (void)fputs("docker-credential-pierone " PIERONE_VERSION "\n", output);
        return 0;
    }
    if (action[0] == '\0' || strcmp(action, "--help") == 0) {
        (void)fputs("Usage: docker-credential-pierone <store|get|erase|list|version>\n", output);
        return action[0] == '\0';
    }
    strbuf_init_secret(&helper.input, INPUT_MAX_BYTES);
    strbuf_init_secret(&helper.answer, OUTPUT_MAX_BYTES);
    code = helper_run(&helper, action, &start, input, &err);
    if (code) {
        show_text(output, str_from(err.message)); /* docker passes on what a server may say */
    } else {
        (void)fwrite(helper.answer.text, 1, helper.answer.length, output);
    }
    (void)fputc('\n', output);
    cli_release(&helper.cli);
    strbuf_release(&helper.input);
    strbuf_release(&helper.answer);
    return code ? 1 : 0;
}
