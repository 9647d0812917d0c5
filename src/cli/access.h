#pragma once

#include "base/clock.h"
#include "cli/config.h"
#include "cli/login_store.h"
#include "outbound/http_client.h"

/* What it takes to find out as whom a registry is asked. */
struct access {
    const struct environment *environment;
    const struct paths *paths;
    struct http_client *client;
    const struct clock *clock;
    struct arena *arena;
    bool is_plain; /* the registry is asked without TLS */
};

/*
 * The login at a registry, ready to be used: a service user's from the environment before a
 * person's from the file; refreshed, and stored again, if it is not fresh any more; one that is
 * still good and cannot be refreshed is used as it is. Of processes that refresh at the same time
 * one asks, the others wait and take what it got. LOGIN_NONE with OK: nobody is logged in.
 * ERROR_UNAUTHENTICATED: the login is over, run `pierone login`; or it was made by https, and the
 * registry is asked without. ERROR_INVALID: files or variables are wrong. ERROR_UNAVAILABLE: the
 * login server is down.
 */
MUST_USE enum error_code access_get(const struct access *access, const char *host,
                                    struct login *login_out, struct error *err);

/* Keeps a login for host, or with LOGIN_NONE forgets it; *was_there_out: whether there was one. */
MUST_USE enum error_code access_keep(const struct access *access, const char *host,
                                     const struct login *login, bool *was_there_out,
                                     struct error *err);

/* The same for a token that docker was given, except where a login is that renews itself: docker
 * stores what it has got from there, which must not end it. */
MUST_USE enum error_code access_keep_given(const struct access *access, const char *host,
                                           const struct login *login, struct error *err);

/* The name that goes with it in HTTP Basic: Docker clients send nothing else. */
const char *access_user_name(const struct login *login);
