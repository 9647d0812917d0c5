#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/error.h"
#include "base/json_value.h"
#include "base/str.h"
#include "base/strbuf.h"

/*
 * JSON Web Tokens (RFC 7519) in the compact form of RFC 7515, as RFC 8725 wants them read. Nothing
 * of a token may be believed before its signature is verified: with the keys of an issuer
 * (auth/key_set.h), or with a secret of our own. All failures here are
 * ERROR_UNAUTHENTICATED; messages never hold the token.
 */
enum { JWT_MAX_BYTES = 64 * 1024, JWT_KEY_ID_MAX_BYTES = 256 };

/* The algorithms of RFC 7518 3 that we take. `none` is not among them. */
enum jwt_algorithm {
    JWT_RS256 = 0,
    JWT_RS384,
    JWT_RS512,
    JWT_PS256,
    JWT_PS384,
    JWT_PS512,
    JWT_ES256,
    JWT_ES384,
    JWT_ES512,
    JWT_HS256, /* tokens of our own only, never an issuer's */
};

enum { JWT_ALGORITHMS = JWT_HS256 + 1 };

/* A token that was taken apart, with its text borrowed. */
struct jwt {
    enum jwt_algorithm algorithm;
    struct str text;                 /* all of it */
    struct str signing_input;        /* what is signed: text up to the last dot */
    struct str signature;            /* decoded */
    struct str key_id;               /* `kid`; {NULL, 0}: none */
    const struct json_value *claims; /* an object */

    /* private */
    struct json_value *header_memory;
    struct json_value *claims_memory;
    uint8_t *signature_memory;
};

/*
 * A token that an issuer signed: any algorithm but JWT_HS256; `typ` absent, `JWT` or `at+jwt`
 * (RFC 9068 2.1). Keys that the header brings along (`jwk`, `jku`, `x5u`, `x5c`) are ignored, and
 * what changes how it is read (`crit`, `b64`, `zip`) is refused. On success: jwt_release.
 */
MUST_USE enum error_code jwt_parse(struct str text, struct jwt *jwt_out, struct error *err);

/* One of our own: JWT_HS256, and just this `typ`, so that tokens for other uses do not fit. */
MUST_USE enum error_code jwt_parse_own(struct str text, const char *type, struct jwt *jwt_out,
                                       struct error *err);

/* Wipes the signature. Accepts {0}. */
void jwt_release(struct jwt *jwt);

/* Whether it is a JWT, good or bad, that says to be of this issuer: `iss`. */
bool jwt_names_issuer(struct str text, const char *issuer);

/* `RS256` */
const char *jwt_algorithm_name(enum jwt_algorithm algorithm);

/* False for any other name; names are exact. */
MUST_USE bool jwt_algorithm_parse(struct str name, enum jwt_algorithm *algorithm_out);

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
