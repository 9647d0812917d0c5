#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/identity.h"
#include "base/error.h"
#include "base/json_value.h"

/*
 * Which members of a token's claims (or of what tokeninfo or introspection answer) mean what.
 * Operators set them, each a list of names separated by spaces: the first that is there counts.
 * Borrowed: they live as long as the settings.
 */
struct claim_names {
    const char *name;    /* `uid sub` */
    const char *realm;   /* `realm` */
    const char *scope;   /* `scope scp`: an array of strings, or text separated by spaces */
    const char *team;    /* `teams groups`: likewise */
    const char *service; /* `NAME=VALUE`: a token with that claim is a service's, others an
                            employee's. NULL: realm, else RFC 9068's rule */
};

/*
 * The identity that claims describe. Its kind: the realm, with or without its leading slash
 * (`employees`, `services`; another one is unknown); without a realm, names->service if set; else
 * `sub` equal to `client_id` is a service, unequal an employee (RFC 9068 2.2), one of them missing
 * unknown. expires_ms is of the caller (each kind of answer says it differently).
 * ERROR_DENIED: nobody is named, or by no usable name (control characters, too long).
 */
MUST_USE enum error_code claims_read(const struct json_value *claims,
                                     const struct claim_names *names, int64_t expires_ms,
                                     struct identity **identity_out, struct error *err);

/* When a token counts. */
struct claim_rules {
    const char *issuer;   /* what `iss` must be */
    const char *audience; /* what `aud` must be or hold; NULL: anything */
    int64_t now_ms;       /* wall clock */
    int64_t leeway_ms;    /* for `exp` and `nbf`; 0 or more */
};

/*
 * Checks the claims of RFC 7519 4.1: `iss`, `aud`, `exp` (required), `nbf`. Only what is left after
 * that, and a verified signature, may be believed. ERROR_UNAUTHENTICATED says which is not as it
 * must be.
 */
MUST_USE enum error_code claims_check(const struct json_value *claims,
                                      const struct claim_rules *rules, struct error *err);

/* Whether `aud` is or holds this audience (RFC 7519 4.1.3). */
bool claims_are_for(const struct json_value *claims, const char *audience);

/* When they end, by the wall clock; without a usable `exp`: 0. */
int64_t claims_expires_ms(const struct json_value *claims);
