#include "cli/docker_setup.h"

#include <unistd.h>

#include "cli/docker_config.h"
#include "cli/private_file.h"

enum { PATH_MAX_BYTES = 4096 };

static const char helper_program[] = "docker-credential-pierone";
static const char for_root[] =
    "this login is root's: `sudo docker` finds it, the docker of other users does not";
static const char for_others[] =
    "`sudo docker` reads root's configuration, where this login is not";

static bool helper_is_there(const struct environment *environment);
static enum error_code set_all(struct cli *cli, const struct docker_login *login,
                               struct error *err);
static void tell(struct cli *cli, const struct docker_login *login);
static enum error_code set_old(struct cli *cli, const struct docker_login *login,
                               struct error *err);

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
    tell(cli, &wanted);
    return OK;
}

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

static void tell(struct cli *cli, const struct docker_login *login)
{
    const bool expires = login->means == DOCKER_AUTH && cli->login.kind != LOGIN_PASSWORD;

    (void)fprintf(cli->chatter, "Docker is set up for %s (%s)%s.\n", login->host,
                  cli->paths.docker_config,
                  expires ? ", until the token expires: then log in again" : "");
    (void)fprintf(cli->chatter, "Note: %s.\n", geteuid() == 0 ? for_root : for_others);
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

enum error_code docker_setup_logout(struct cli *cli, struct error *err)
{
    const struct docker_login none = {.host = cli->url.host, .means = DOCKER_FORGET};

    return set_all(cli, &none, err);
}
