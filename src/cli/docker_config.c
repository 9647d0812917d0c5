#include "cli/docker_config.h"

#include <string.h>
#include <unistd.h>

#include "base/json_edit.h"
#include "base/token.h"
#include "cli/private_file.h"

enum { CONFIG_MAX_BYTES = 4 * 1024 * 1024, INDENT = 2 };

static const char helper_name[] = "pierone";
static const char auths[] = "auths";
static const char helpers[] = "credHelpers";

/* What docker takes for no configuration: nothing but white space (RFC 8259 2), or `null`. */
static bool is_blank(struct str text)
{
    static const char space[] = " \t\r\n";

    while (text.length > 0 && strchr(space, text.bytes[0]) && text.bytes[0] != '\0') {
        text = str_from_index(text, 1);
    }
    while (text.length > 0 && strchr(space, text.bytes[text.length - 1]) &&
           text.bytes[text.length - 1] != '\0') {
        text = str_slice(text, 0, text.length - 1);
    }
    return text.length == 0 || str_is(text, "null");
}

/* What is broken is not overwritten: somebody else's logins may be in it. */
static enum error_code docker_parse(const char *path, struct str text, struct json_value **json_out,
                                    struct error *err)
{
    struct error reason = {0};

    if (is_blank(text)) {
        *json_out = json_edit_new_object();
        return OK;
    }
    return json_value_parse_object(text, json_out, &reason)
               ? error_set(err, ERROR_INVALID,
                           "%s is not what Docker writes (%s): correct or move it, then try again",
                           path, reason.message)
               : OK;
}

static enum error_code change(const char *path, const struct docker_login *login,
                              void (*set)(struct json_value *, const struct docker_login *),
                              struct error *err)
{
    struct json_value *json = NULL;
    struct strbuf text;
    enum error_code code = OK;

    strbuf_init_secret(&text, CONFIG_MAX_BYTES);
    code = private_file_read(path, &text, err);
    if (code == ERROR_NOT_FOUND) {
        code = OK;
    }
    if (!code && (text.length > 0 || login->means != DOCKER_FORGET)) {
        code = docker_parse(path, strbuf_str(&text), &json, err);
    }
    if (!code && json) {
        set(json, login);
        strbuf_clear(&text);
        json_edit_write(json, INDENT, &text);
        strbuf_append_byte(&text, '\n');
        code = text.is_truncated ? error_set(err, ERROR_INVALID, "%s would become too large", path)
                                 : private_file_write(path, strbuf_str(&text), err);
    }
    json_value_free(json);
    strbuf_release(&text);
    return code;
}

/* Also as older clients wrote it, with scheme and path: docker still finds those by their host
 * (docker/cli, credentials: ConvertToHostname). */
static void forget(struct json_value *config, const char *section, const char *host)
{
    static const char *const schemes[] = {"", "https://", "http://"};
    static const char *const ends[] = {"", "/", "/v1", "/v1/", "/v2", "/v2/"};

    if (!json_value_is_object(json_value_member(config, section))) {
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(schemes) * ARRAY_LEN(ends); i++) {
        struct strbuf name;

        strbuf_init(&name, CONFIG_MAX_BYTES);
        strbuf_append_format(&name, "%s%s%s", schemes[i / ARRAY_LEN(ends)], host,
                             ends[i % ARRAY_LEN(ends)]);
        (void)json_edit_remove(json_edit_object(config, section), name.text);
        strbuf_release(&name);
    }
}

static void set_auth(struct json_value *entries, const struct docker_login *login)
{
    struct strbuf plain;
    struct strbuf encoded;

    strbuf_init_secret(&plain, CONFIG_MAX_BYTES);
    strbuf_init_secret(&encoded, 2 * CONFIG_MAX_BYTES);
    strbuf_append_format(&plain, "%s:%.*s", login->user, STR_FORMAT(login->secret));
    base64_encode(strbuf_str(&plain), &encoded);
    json_edit_set_text(json_edit_object(entries, login->host), "auth", strbuf_str(&encoded));
    strbuf_release(&plain);
    strbuf_release(&encoded);
}

/*
 * With a credsStore docker does not look into auths at all, but for a host whose helper is the
 * empty name (docker/cli, configfile: getConfiguredCredentialStore).
 */
static void set_config(struct json_value *config, const struct docker_login *login)
{
    const bool has_store = json_value_member_string(config, "credsStore").length > 0;

    forget(config, auths, login->host);
    forget(config, helpers, login->host);
    if (login->means == DOCKER_HELPER) {
        json_edit_set_text(json_edit_object(config, helpers), login->host, str_from(helper_name));
    } else if (login->means == DOCKER_AUTH) {
        set_auth(json_edit_object(config, auths), login);
        if (has_store) {
            json_edit_set_text(json_edit_object(config, helpers), login->host, str_from(""));
        }
    }
}

enum error_code docker_config_set(const char *path, const struct docker_login *login,
                                  struct error *err)
{
    return change(path, login, set_config, err);
}

static void set_dockercfg(struct json_value *config, const struct docker_login *login)
{
    (void)json_edit_remove(config, login->host);
    if (login->means != DOCKER_FORGET) {
        set_auth(config, login);
    }
}

enum error_code dockercfg_set(const char *path, const struct docker_login *login, struct error *err)
{
    return change(path, login, set_dockercfg, err);
}

bool docker_config_is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

enum { PATH_MAX_BYTES = 4096 };

static const char helper_program[] = "docker-credential-pierone";
static const char for_root[] =
    "this login is root's: `sudo docker` finds it, the docker of other users does not";
static const char for_others[] =
    "`sudo docker` reads root's configuration, where this login is not";

static bool helper_is_there(const struct environment *environment)
{
    struct str rest = str_from(environment_get(environment, "PATH"));
    struct str folder;
    bool is_there = false;

    while (!is_there && str_cut(&rest, ':', &folder)) {
        struct strbuf path;

        strbuf_init(&path, PATH_MAX_BYTES);
        strbuf_append_format(&path, "%.*s/%s", STR_FORMAT(folder), helper_program);
        is_there = folder.length > 0 && access(path.text, X_OK) == 0;
        strbuf_release(&path);
    }
    return is_there;
}

/* Where somebody has it, or asks for it. It knows no helpers. */
static enum error_code set_old(struct cli *cli, const struct docker_login *login, struct error *err)
{
    struct docker_login old = *login;

    if (!cli->options.with_dockercfg && !docker_config_is_there(cli->paths.dockercfg)) {
        return OK;
    }
    old.means = login->means == DOCKER_FORGET ? DOCKER_FORGET : DOCKER_AUTH;
    return dockercfg_set(cli->paths.dockercfg, &old, err);
}

/* Docker locks nothing; of our own, those who log in at the same time wait for each other. */
static enum error_code set_all(struct cli *cli, const struct docker_login *login, struct error *err)
{
    int lock = -1;
    enum error_code code = private_file_lock(cli->paths.logins, &lock, err);

    if (code) {
        return code;
    }
    code = docker_config_set(cli->paths.docker_config, login, err);
    if (!code) {
        code = set_old(cli, login, err);
    }
    (void)close(lock);
    return code;
}

static void docker_tell(struct cli *cli, const struct docker_login *login)
{
    const bool expires = login->means == DOCKER_AUTH && cli->login.kind != LOGIN_PASSWORD;

    (void)fprintf(cli->chatter, "Docker is set up for %s (%s)%s.\n", login->host,
                  cli->paths.docker_config,
                  expires ? ", until the token expires: then log in again" : "");
    (void)fprintf(cli->chatter, "Note: %s.\n", geteuid() == 0 ? for_root : for_others);
}

enum error_code docker_setup_login(struct cli *cli, const struct login *login, struct error *err)
{
    const bool has_helper = helper_is_there(&cli->environment);
    const struct docker_login wanted = {
        .host = cli->url.host,
        .means = has_helper && !cli->options.without_helper ? DOCKER_HELPER : DOCKER_AUTH,
        .user = access_user_name(login),
        .secret = login->secret,
    };
    const enum error_code code = set_all(cli, &wanted, err);

    if (code) {
        return code;
    }
    if (!has_helper && !cli->options.without_helper) {
        (void)fprintf(cli->chatter, "%s is not in PATH: Docker gets the token itself.\n",
                      helper_program);
    }
    docker_tell(cli, &wanted);
    return OK;
}

enum error_code docker_setup_logout(struct cli *cli, struct error *err)
{
    const struct docker_login none = {.host = cli->url.host, .means = DOCKER_FORGET};

    return set_all(cli, &none, err);
}
