#pragma once

#include "auth/jwt.h"
#include "base/strbuf.h"

enum { JWT_SECRET_MIN_BYTES = 32 }; /* RFC 7518 3.2: no less than the hash has */

/* How a token of our own is made. */
struct jwt_making {
    struct str key_id; /* `kid`, up to JWT_KEY_ID_MAX_BYTES */
    const char *type;  /* `typ`: says what the token is for */
    struct str secret; /* JWT_SECRET_MIN_BYTES at least */
};

/* Appends a token with these claims, a JSON object, signed with HS256. */
void jwt_sign_hmac(const struct jwt_making *making, struct str claims, struct strbuf *token);

/*
 * Whether a token that jwt_parse_own read was signed with this secret; the time it takes does not
 * depend on the signature. ERROR_UNAUTHENTICATED: no.
 */
MUST_USE enum error_code jwt_verify_hmac(const struct jwt *jwt, struct str secret,
                                         struct error *err);
