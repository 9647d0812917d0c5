#pragma once

#include "cli/cli.h"

/* Makes Docker clients use the login at cli->url, by the credential helper unless the options say
 * otherwise or there is none in PATH; tells the person what it did. */
MUST_USE enum error_code docker_setup_login(struct cli *cli, const struct login *login,
                                            struct error *err);

/* … and forget it. */
MUST_USE enum error_code docker_setup_logout(struct cli *cli, struct error *err);
