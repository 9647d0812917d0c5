#pragma once

#include "auth/claims.h"
#include "auth/identity_source.h"
#include "base/clock.h"
#include "outbound/http_client.h"

/*
 * Tokens that an OpenID Connect issuer signed (JWT, RFC 7519; access tokens of RFC 9068), judged
 * with its published keys alone. Discovery (OpenID Connect Discovery 1.0) gives the place of the
 * keys, unless jwks_url does. SOURCE_DECIDES for a JWT whose `iss` is this issuer, SOURCE_IGNORES
 * for all else.
 *
 * Keys are fetched at the first token, again when their time is over (Cache-Control, between a
 * minute and an hour; the old ones go on counting while the issuer cannot be reached), and when a
 * token names a key that is not known, but no more than once in ten seconds altogether, whatever
 * tokens arrive. One thread fetches, others that need the result wait for it.
 */
struct oidc_config {
    const char *issuer;   /* as `iss` has it */
    const char *audience; /* that `aud` must hold; NULL: any */
    const char *jwks_url; /* NULL: found by discovery */
    struct claim_names claims;
    int64_t leeway_ms;          /* for exp and nbf: clocks differ */
    struct http_client *client; /* not owned */
    const struct clock *clock;
};

/* All borrowed, and used as long as the source lives. */
struct identity_source *oidc_source_new(const struct oidc_config *config);
