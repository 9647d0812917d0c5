#pragma once

#include <stdint.h>

#include "auth/key_set.h"
#include "base/attributes.h"
#include "base/error.h"
#include "outbound/http_client.h"

/* Where the keys of an issuer are. */
struct oidc_place {
    const char *issuer;
    const char *jwks_url; /* NULL: found by discovery */
    struct http_client *client;
};

struct oidc_fetched {
    struct key_set *keys; /* one reference, the caller's */
    int64_t max_age_s;    /* of Cache-Control; -1: not said */
};

/*
 * Fetches the keys: discovery (OpenID Connect Discovery 1.0, 4), unless the place of the keys is
 * known, then the key set. Blocks for two requests at most. ERROR_UNAVAILABLE: there are none to be
 * had now; the message says at which step and why.
 */
MUST_USE enum error_code oidc_fetch_keys(const struct oidc_place *place,
                                         struct oidc_fetched *fetched_out, struct error *err);
