#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "cli/registry_url.h"
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
