#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"
#include "cli/cli.h"

/*
 * The configuration of Docker clients (`config.json`, of Docker before 1.7 `.dockercfg`): what it
 * says of one registry is set, all else stays. Written in one step, mode 0600.
 */
enum docker_means {
    DOCKER_HELPER, /* `credHelpers`: docker-credential-pierone is asked each time */
    DOCKER_AUTH,   /* `auths`: the secret itself; used until it expires */
    DOCKER_FORGET, /* neither */
};

struct docker_login {
    const char *host; /* with the port, if it has one */
    enum docker_means means;
    const char *user; /* of DOCKER_AUTH, as the next */
    struct str secret;
};

/* ERROR_INVALID: it is not JSON, or cannot be written; the message names the file. DOCKER_FORGET
 * makes no file. */
MUST_USE enum error_code docker_config_set(const char *path, const struct docker_login *login,
                                           struct error *err);

/* The same in the form of `.dockercfg`, which knows no helpers: entries by host. */
MUST_USE enum error_code dockercfg_set(const char *path, const struct docker_login *login,
                                       struct error *err);

/* Whether there is such a file. */
bool docker_config_is_there(const char *path);

/* Makes Docker clients use the login at cli->url, by the credential helper unless the options say
 * otherwise or there is none in PATH; tells the person what it did. */
MUST_USE enum error_code docker_setup_login(struct cli *cli, const struct login *login,
                                            struct error *err);

/* … and forget it. */
MUST_USE enum error_code docker_setup_logout(struct cli *cli, struct error *err);
