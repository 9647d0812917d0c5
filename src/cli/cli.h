#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "cli/access.h"
#include "cli/config.h"
#include "cli/options.h"
#include "cli/output.h"
#include "outbound/http_client.h"

/* One run of the program: what its commands work with. */
struct cli {
    struct options options;
    struct environment environment;
    const struct clock *clock;
    struct arena arena; /* for all that lives as long as the run; wiped */
    struct paths paths;
    struct output output;
    FILE *chatter; /* for people: what happens, and questions */
    bool can_ask;  /* there is a person at a terminal */
    struct http_client *client;

    struct registry_url url; /* once cli_find_url was called */
    bool is_url_asked;       /* … and the person has told it */
    struct login login;      /* once cli_find_login was called */
    bool has_login;
};

enum { CLI_ARENA_BYTES = 1024 * 1024 * 1024, CLI_ANSWER_MAX_BYTES = 64 * 1024 * 1024 };

/* Opens what every run needs. ERROR_INVALID: there is no HOME. Release in any case. */
struct cli_start {
    const struct options *options;
    char *const *environment;
    FILE *results;
    FILE *chatter;
};
MUST_USE enum error_code cli_open(struct cli *cli, const struct cli_start *start,
                                  struct error *err);
void cli_release(struct cli *cli);

/* Which registry: --url, PIERONE_URL, the configuration, the only login that there is; else a
 * person is asked. ERROR_INVALID says how to set it. */
MUST_USE enum error_code cli_find_url(struct cli *cli, struct error *err);

/* As whom it is asked; LOGIN_NONE with OK if nobody is logged in. Errors as of access_get. */
MUST_USE enum error_code cli_find_login(struct cli *cli, struct error *err);

/* What access.h needs, of the registry that was found. */
struct access cli_access(struct cli *cli);
