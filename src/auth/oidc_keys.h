#pragma once

#include <stdint.h>

#include "auth/key_set.h"
#include "base/attributes.h"
#include "base/clock.h"
#include "base/error.h"
#include "outbound/http_client.h"

/* Whose keys they are, and where to ask for them. */
struct oidc_issuer {
    const char *id;       /* as `iss` has it: an URL */
    const char *jwks_url; /* NULL: found by discovery */
    struct http_client *client;
};

/*
 * The keys of an issuer, kept fresh: fetched when they are first needed, again when their time is
 * over, and when somebody misses one, but after any attempt not for OIDC_PAUSE_MS. One thread
 * fetches; others wait for it if they have no keys to go on with.
 */
struct oidc_keys;

enum {
    OIDC_PAUSE_MS = 10 * 1000,
    OIDC_AGE_MIN_S = 60,
    OIDC_AGE_MAX_S = 3600,
    OIDC_AGE_DEFAULT_S = 600, /* where the issuer does not say */
};

/* What issuer points to, and clock, are borrowed as long as it lives. */
struct oidc_keys *oidc_keys_new(const struct oidc_issuer *issuer, const struct clock *clock);

/* NULL is accepted. No other thread may use it any more. */
void oidc_keys_free(struct oidc_keys *keys);

/*
 * The keys that count now, as a new reference: those known before if the issuer cannot be reached.
 * ERROR_UNAVAILABLE: none are known.
 */
MUST_USE enum error_code oidc_keys_get(struct oidc_keys *keys, struct key_set **set_out,
                                       struct error *err);

/*
 * Newer keys than these, which oidc_keys_get gave and which lack one, as a new reference.
 * ERROR_NOT_FOUND: there are none, or it is too early to ask. ERROR_UNAVAILABLE: the issuer could
 * not be asked, so nobody knows.
 */
MUST_USE enum error_code oidc_keys_get_newer(struct oidc_keys *keys, const struct key_set *known,
                                             struct key_set **set_out, struct error *err);

struct oidc_fetched {
    struct key_set *keys; /* one reference, the caller's */
    int64_t max_age_s;    /* of Cache-Control; -1: not said */
};

/*
 * Asks for the keys now, whatever is known: discovery (OpenID Connect Discovery 1.0, 4), unless it
 * is known where they are, then the key set. Blocks for two requests at most. ERROR_UNAVAILABLE:
 * there are none to be had now; the message says at which step and why.
 */
MUST_USE enum error_code oidc_fetch_keys(const struct oidc_issuer *issuer,
                                         struct oidc_fetched *fetched_out, struct error *err);
