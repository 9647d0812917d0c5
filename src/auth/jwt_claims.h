#pragma once

#include <stdint.h>

#include "auth/jwt.h"
#include "base/attributes.h"
#include "base/error.h"

struct jwt_rules {
    const char *issuer;   /* what `iss` must be */
    const char *audience; /* what `aud` must be or hold; NULL: anything */
    int64_t now_ms;       /* wall clock */
    int64_t leeway_ms;    /* for `exp` and `nbf`; 0 or more */
};

/*
 * Checks the claims of RFC 7519 4.1: `iss`, `aud`, `exp` (required), `nbf`. Only what is left after
 * that, and a verified signature, may be believed.
 */
MUST_USE enum error_code jwt_check_claims(const struct jwt *jwt, const struct jwt_rules *rules,
                                          struct error *err);

/* When it ends, by the wall clock; without a usable `exp`: 0. */
int64_t jwt_expires_ms(const struct jwt *jwt);
