#include <string.h>
#include <unistd.h>

#include "base/password_prompt.h"
#include "cli/api_client.h"
#include "cli/command.h"
#include "cli/docker_config.h"
#include "cli/login_flow.h"
#include "cli/patience.h"
#include "cli/service_token.h"

static const struct column columns[] = {
    {"registry", "Registry", COLUMN_TEXT},
    {"name", "Name", COLUMN_TEXT},
    {"kind", "Kind", COLUMN_TEXT},
    {"expires_time", "Token expires", COLUMN_TIME},
};

enum error_code command_logout(struct cli *cli, struct error *err)
{
    const struct access access = cli_access(cli);
    const struct login nobody = {.kind = LOGIN_NONE};
    bool was_there = false;
    enum error_code code = cli_find_url(cli, err);

    if (!code) {
        code = access_keep(&access, cli->url.host, &nobody, &was_there, err);
    }
    if (!code) {
        code = docker_setup_logout(cli, err);
    }
    if (!code) {
        (void)fprintf(cli->chatter,
                      was_there ? "Logged out at %s.\n" : "There was no login at %s.\n",
                      cli->url.host);
    }
    return code;
}

enum error_code command_whoami(struct cli *cli, struct error *err)
{
    struct json_value *json = NULL;
    struct table table;
    const enum error_code code = api_get(cli, "/whoami", &json, err);

    if (code) {
        return code;
    }
    table_init(&table, columns, ARRAY_LEN(columns));
    table_add(&table,
              (const struct cell[]){
                  cell_text(str_from(cli->url.host)),
                  api_cell(cli, json, "name"),
                  api_cell(cli, json, "kind"),
                  cli->login.expires_ms > 0 ? cell_number(cli->login.expires_ms) : cell_absent(),
              });
    table_print(&table, &cli->output);
    table_release(&table);
    json_value_free(json);
    return OK;
}

enum { PASSWORD_MAX_BYTES = 1024, LINE_BYTES = 300 };

static enum error_code ask_user(struct cli *cli, const char **user_out, struct error *err)
{
    char line[LINE_BYTES];

    if (!cli->can_ask) {
        return error_set(err, ERROR_INVALID,
                         "there is no terminal to ask for a name on: give --username");
    }
    (void)fputs("Username: ", cli->chatter);
    (void)fflush(cli->chatter);
    if (!fgets(line, sizeof(line), stdin)) {
        return error_set(err, ERROR_INVALID, "no name was given");
    }
    line[strcspn(line, "\r\n")] = '\0';
    *user_out = arena_text(&cli->arena, str_from(line));
    return OK;
}

static enum error_code log_in_by_password(struct cli *cli, struct login *login_out,
                                          struct error *err)
{
    const char *user = cli->options.user;
    struct strbuf password;
    enum error_code code = OK;

    if (!user) {
        code = ask_user(cli, &user, err);
    }
    if (code) {
        return code;
    }
    strbuf_init_secret(&password, PASSWORD_MAX_BYTES);
    code = cli->options.password_on_stdin ? password_read_line(&password, err)
                                          : password_prompt("Password", &password, err);
    if (!code) {
        *login_out = (struct login){
            .kind = LOGIN_PASSWORD,
            .user = str_from(user),
            .secret = {arena_text(&cli->arena, strbuf_str(&password)), password.length},
        };
    }
    strbuf_release(&password);
    return code;
}

static enum error_code log_in_service(struct cli *cli, struct login *login_out, struct error *err)
{
    const struct service_request request = {
        .environment = &cli->environment,
        .client = cli->client,
        .arena = &cli->arena,
        .now_ms = clock_wall_ms(cli->clock),
    };
    enum error_code code = OK;

    patience_begin(patience_login_server);
    code = service_token_get(&request, login_out, err);
    patience_end();
    return code;
}

static enum error_code log_in_person(struct cli *cli, struct provider *provider,
                                     struct login *login_out, struct error *err)
{
    const struct login_flow flow = {
        .provider = provider,
        .client = cli->client,
        .environment = &cli->environment,
        .clock = cli->clock,
        .arena = &cli->arena,
        .chatter = cli->chatter,
        .pause = login_flow_pause,
    };
    const enum error_code code = provider_discover(cli->client, &cli->arena, provider, err);
    const bool has_browser = browser_is_there(&cli->environment);

    if (code) {
        return code;
    }
    return cli->options.by_device || (!has_browser && provider->device_url)
               ? device_login(&flow, login_out, err)
               : browser_login(&flow, login_out, err);
}

/* What the command line asks for; else what the environment has; else what the registry says. */
static enum error_code find_login(struct cli *cli, struct provider *provider,
                                  struct login *login_out, struct error *err)
{
    const struct options *const options = &cli->options;
    const bool is_service = service_token_source(&cli->environment) != SERVICE_NONE;
    const bool wants_password = options->user || options->password_on_stdin;

    if (wants_password || (!provider->issuer && !is_service && provider->takes_passwords)) {
        return log_in_by_password(cli, login_out, err);
    }
    if (is_service && !options->by_device) {
        return log_in_service(cli, login_out, err);
    }
    if (provider->issuer) {
        return log_in_person(cli, provider, login_out, err);
    }
    return error_set(err, ERROR_INVALID,
                     "%s does not say where people log in (its operator sets login.issuer); a "
                     "service user sets OAUTH2_ACCESS_TOKEN_URL and CREDENTIALS_DIR",
                     cli->url.host);
}

/* The registry has the last word, and knows the name. */
static enum error_code verify(struct cli *cli, struct login *login, struct error *err)
{
    struct json_value *json = NULL;
    struct str name;
    enum error_code code = OK;

    cli->login = *login;
    cli->has_login = true;
    code = api_get(cli, "/whoami", &json, err);
    if (code == ERROR_UNAUTHENTICATED) {
        return error_set(err, ERROR_UNAUTHENTICATED,
                         login->kind == LOGIN_PASSWORD
                             ? "%s does not know this name with this password"
                             : "%s does not accept the token: is it meant for this registry?",
                         cli->url.host);
    }
    if (code) {
        return code;
    }
    name = json_value_member_string(json, "name");
    login->user = (struct str){arena_text(&cli->arena, name), name.length};
    login->url = str_from(cli->url.url);
    json_value_free(json);
    return OK;
}

static enum error_code session_keep(struct cli *cli, const struct login *login, struct error *err)
{
    const struct access access = cli_access(cli);
    bool was_there = false;
    enum error_code code = access_keep(&access, cli->url.host, login, &was_there, err);

    if (code) {
        return code;
    }
    (void)fprintf(cli->chatter, "Logged in at %s as ", cli->url.host);
    show_text(cli->chatter, login->user);
    (void)fputs(".\n", cli->chatter);
    return docker_setup_login(cli, login, err);
}

enum error_code command_login(struct cli *cli, struct error *err)
{
    struct provider provider = {0};
    struct login login = {0};
    enum error_code code = cli_find_url(cli, err);

    if (!code) {
        code = provider_find(cli->client, &cli->url, &cli->arena, &provider, err);
    }
    if (!code && !provider.takes_tokens && !provider.takes_passwords) {
        (void)fprintf(cli->chatter, "%s is open: nobody has to log in there.\n", cli->url.host);
        return OK;
    }
    if (!code) {
        code = find_login(cli, &provider, &login, err);
    }
    if (!code) {
        code = verify(cli, &login, err);
    }
    return code ? code : session_keep(cli, &login, err);
}
