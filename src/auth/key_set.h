#pragma once

#include <stddef.h>

#include "auth/jwt.h"
#include "base/attributes.h"
#include "base/error.h"
#include "base/str.h"
#include "base/strbuf.h"

/*
 * The public keys of an issuer (RFC 7517), and the one place where signatures by them are verified.
 * Made once, never changed, shared by threads. cjose stays behind this header.
 */
struct key_set;

enum {
    KEY_SET_MAX_BYTES = 256 * 1024,
    KEY_SET_MAX_KEYS = 100,
    KEY_SET_RSA_MIN_BITS = 2048, /* RFC 7518 3.3 */
    KEY_SET_RSA_MAX_BITS = 8192, /* more cost us too much */
};

/*
 * Reads a JWK Set. Keys that cannot verify one of our algorithms are left out: of other types or
 * curves, symmetric, for encryption, too short, damaged; there may be none left.
 * ERROR_INVALID: not a JWK Set. ERROR_TOO_LARGE: beyond the limits. On success one reference.
 */
MUST_USE enum error_code key_set_parse(struct str text, struct key_set **keys_out,
                                       struct error *err);

/* Another reference to the same; from any thread. */
struct key_set *key_set_retain(struct key_set *keys);

/* NULL is accepted. */
void key_set_release(struct key_set *keys);

/* How many keys it has. */
size_t key_set_count(const struct key_set *keys);

/* Appends the algorithms that its keys can verify: `RS256, PS256`. */
void key_set_append_algorithms(const struct key_set *keys, struct strbuf *text);

/*
 * Verifies the signature of an issuer's token, by the key that its `kid` names, or by the only one
 * that fits if it names none. A key fits if type, curve and its own `alg` agree with the token's.
 * ERROR_NOT_FOUND: the key is not known; a newer set may have it.
 * ERROR_UNAUTHENTICATED: the signature is wrong, or no key can be told from others.
 */
MUST_USE enum error_code key_set_verify(const struct key_set *keys, const struct jwt *jwt,
                                        struct error *err);
