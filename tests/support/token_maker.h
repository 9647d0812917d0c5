#pragma once

#include <openssl/evp.h>

#include "base/str.h"
#include "base/strbuf.h"

/*
 * Signs tokens as an issuer would, with OpenSSL alone: so that what verifies them is held against
 * somebody else's signatures. All of it aborts if it cannot.
 */
EVP_PKEY *token_key_rsa(unsigned bits);
EVP_PKEY *token_key_curve(const char *name); /* `P-256` */

/* Appends the public key as a JWK; `members` are put behind `kty`: `"kid":"a","use":"sig"`. */
void token_append_jwk(EVP_PKEY *key, const char *members, struct strbuf *text);

/* Appends a token with just this header and these claims, signed as `algorithm` says. */
void token_append(EVP_PKEY *key, const char *algorithm, struct str header, struct str claims,
                  struct strbuf *text);

/* The same, with an HMAC. */
void token_append_hmac(struct str secret, struct str header, struct str claims,
                       struct strbuf *text);

/* Appends `header.claims`, encoded. */
void token_append_unsigned(struct str header, struct str claims, struct strbuf *text);

/* Appends the public key as PEM. */
void token_append_pem(EVP_PKEY *key, struct strbuf *text);
