#pragma once

#include <stdio.h>

#include "base/clock.h"
#include "cli/config.h"
#include "cli/login_store.h"
#include "cli/provider.h"

/* What logging in a person takes. */
struct login_flow {
    const struct provider *provider; /* discovered */
    struct http_client *client;
    const struct environment *environment;
    const struct clock *clock;
    struct arena *arena;
    FILE *chatter;                                     /* where the person is told what to do */
    void (*pause)(void *context, int64_t duration_ms); /* login_flow_pause, but in tests */
    void *pause_context;
};

enum {
    LOGIN_WAIT_MS = 5 * 60 * 1000, /* for the person */
};

/* A login of what the provider granted. */
struct login login_flow_result(const struct login_flow *flow, const struct oauth_grant *grant);

/* Sleeps that long; has no context. */
void login_flow_pause(void *context, int64_t duration_ms);

/*
 * By the browser of this machine: authorization code with PKCE to a port on the loopback (RFC 8252,
 * RFC 7636). ERROR_UNAUTHENTICATED: refused, or nobody did anything for LOGIN_WAIT_MS.
 * ERROR_UNAVAILABLE.
 */
MUST_USE enum error_code browser_login(const struct login_flow *flow, struct login *login_out,
                                       struct error *err);

/* Whether there is a browser to open. */
bool browser_is_there(const struct environment *environment);

/* By a browser of another machine: the device grant (RFC 8628). Errors as above; ERROR_INVALID if
 * the provider has none. */
MUST_USE enum error_code device_login(const struct login_flow *flow, struct login *login_out,
                                      struct error *err);
