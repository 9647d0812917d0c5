#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "cli/config.h"
#include "outbound/http_client.h"

enum { PROVIDER_SCOPES_MAX = 16 };

/* How one logs in at a registry, as it says itself, and where. Texts are in the arena, NULL where
 * there is none. */
struct provider {
    bool takes_tokens;
    bool takes_passwords;
    const char *issuer;
    const char *client_id;
    const char *scopes; /* separated by spaces */
    uint64_t redirect_port;

    /* Of the issuer (OpenID Connect Discovery 1.0; RFC 8628 for the third). */
    const char *authorization_url;
    const char *token_url;
    const char *device_url;
};

/* Asks `/.well-known/pierone`. ERROR_INVALID: there is no Pier One, or one that cannot be trusted
 * with a login. ERROR_UNAVAILABLE. */
MUST_USE enum error_code provider_find(struct http_client *client, const struct registry_url *url,
                                       struct arena *arena, struct provider *provider_out,
                                       struct error *err);

/* Asks the issuer for its addresses. ERROR_UNAVAILABLE, also if it is no issuer, is another one
 * (OpenID Connect Discovery 4.3), or would have one leave TLS. */
MUST_USE enum error_code provider_discover(struct http_client *client, struct arena *arena,
                                           struct provider *provider, struct error *err);

/* What a token endpoint is asked (RFC 6749). Borrows. */
struct oauth_request {
    const char *url;
    struct str form;  /* application/x-www-form-urlencoded */
    const char *user; /* HTTP Basic, for clients that have a secret; NULL: none */
    const char *password;
    int64_t timeout_ms; /* 0: the client's */
};

enum { OAUTH_ERROR_BYTES = 64 };

/* What it grants. Texts are in the arena; empty if not said. */
struct oauth_grant {
    struct str access_token;
    struct str refresh_token;
    int64_t lifetime_ms;           /* 0: not said */
    char error[OAUTH_ERROR_BYTES]; /* of a refusal: `invalid_grant`, `authorization_pending`, … */
};

/* ERROR_UNAUTHENTICATED: refused; grant_out->error says how, the message why. ERROR_UNAVAILABLE,
 * also if the answer cannot be read. */
MUST_USE enum error_code oauth_request_token(struct http_client *client,
                                             const struct oauth_request *request,
                                             struct arena *arena, struct oauth_grant *grant_out,
                                             struct error *err);

/* Refreshes (RFC 6749 6). A provider that gives no new refresh token leaves the old one good. */
struct oauth_refresh {
    struct str token_url;
    struct str client_id;
    struct str refresh_token;
    int64_t timeout_ms; /* 0: the client's */
};

MUST_USE enum error_code oauth_refresh(struct http_client *client,
                                       const struct oauth_refresh *refresh, struct arena *arena,
                                       struct oauth_grant *grant_out, struct error *err);
