#pragma once

#include "auth/key_set.h"
#include "auth/oidc_fetch.h"
#include "base/attributes.h"
#include "base/clock.h"
#include "base/error.h"

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

/* What place points to, and clock, are borrowed as long as it lives. */
struct oidc_keys *oidc_keys_new(const struct oidc_place *place, const struct clock *clock);

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
