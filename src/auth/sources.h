#pragma once

#include <stdint.h>

#include "auth/claims.h"
#include "auth/identity_source.h"
#include "base/clock.h"
#include "base/log.h"
#include "outbound/http_client.h"

/*
 * The sources that there are, but for the registry's own tokens (auth/registry_token.h). What a
 * configuration points to is borrowed as long as its source lives.
 */

/*
 * Tokens that an OpenID Connect issuer signed (JWT, RFC 7519; access tokens of RFC 9068), judged
 * with its published keys alone. Discovery (OpenID Connect Discovery 1.0) tells where the keys are,
 * unless jwks_url does. SOURCE_DECIDES for a JWT whose `iss` is this issuer, SOURCE_IGNORES
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

struct identity_source *oidc_source_new(const struct oidc_config *config);

/*
 * OAuth 2.0 Token Introspection (RFC 7662): POST url, form token=TOKEN. Authenticated by Basic with
 * client_id and client_secret; or, if token_url is set, by a bearer token that the client gets
 * there (client credentials grant, RFC 6749 4.4), keeps until shortly before it expires, and renews
 * once when it is refused. `active` false is ERROR_UNAUTHENTICATED; refused client credentials
 * (401, 403) are ERROR_UNAVAILABLE, with a message for the operator.
 */
struct introspection_config {
    const char *url;
    const char *client_id;
    const char *client_secret;
    const char *token_url;   /* NULL: Basic */
    const char *token_scope; /* asked for at token_url; NULL: none */
    const char *audience;    /* that `aud` must hold; NULL: any */
    struct claim_names claims;
    struct http_client *client; /* not owned */
    const struct clock *clock;
};

struct identity_source *introspection_source_new(const struct introspection_config *config);

/*
 * A token info service as STUPS has it: GET url?access_token=TOKEN. 200 with JSON that names the
 * caller; any 4xx means that the token is not valid; all else, and an answer that cannot be read,
 * is ERROR_UNAVAILABLE. expires_in is respected; without it an `exp` of the token itself, else it
 * does not expire by itself.
 */
struct tokeninfo_config {
    const char *url;
    struct claim_names claims;
    struct http_client *client; /* not owned */
    const struct clock *clock;
};

struct identity_source *tokeninfo_source_new(const struct tokeninfo_config *config);

/*
 * AWS instance identity documents, as STUPS judges them: POST url, JSON {"iid_signature":
 * DOCUMENT}, 200 means that the machine is one of ours, any 4xx that it is not. Gives
 * IDENTITY_INSTANCE with the name `instance` followed by a short fingerprint of the document. Two
 * seconds, no longer.
 */
struct instance_config {
    const char *url;
    struct http_client *client; /* not owned */
    const struct clock *clock;
};

struct identity_source *instance_source_new(const struct instance_config *config);

/*
 * Local users: names, teams and password hashes in a file (users_file.h), for those without a
 * provider. Read again as soon as it has changed. A file that cannot be read or understood after a
 * change leaves the users before it in force, and is logged once. Everybody in it is an employee.
 * Verifying a password is meant to take long: how many do so at a time is the caller's to bound. An
 * unknown name takes as long as a wrong password.
 */
struct users_config {
    const char *path;
    struct log *log;
};

/* Reads the file. ERROR_INVALID names its line; ERROR_NOT_FOUND says how to make one. */
MUST_USE enum error_code users_source_new(const struct users_config *config,
                                          struct identity_source **source_out, struct error *err);
