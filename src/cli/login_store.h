#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json_value.h"

/*
 * Who is logged in at which registry: a JSON file of mode 0600 in the person's own folder. Shared
 * by processes: whoever changes it holds its lock.
 */
enum login_kind {
    LOGIN_NONE = 0,
    LOGIN_OAUTH,    /* a person, by a provider's tokens */
    LOGIN_PASSWORD, /* a person, by a password of the registry's own */
    LOGIN_SERVICE,  /* whatever the environment says (service_token.h) */
};

/* Texts are borrowed or in an arena; those that there are not are empty. */
struct login {
    enum login_kind kind;
    struct str url; /* the registry's, as it was logged in at; empty: https */
    struct str user;
    struct str secret;        /* access token or password */
    struct str refresh_token; /* of LOGIN_OAUTH */
    struct str token_url;     /* … where it is refreshed */
    struct str client_id;     /* … as whom */
    struct str source;        /* of LOGIN_SERVICE: what the token was got by */
    int64_t renew_ms;         /* wall clock: from then on it is renewed; 0: not before its end */
    int64_t expires_ms;       /* wall clock; 0: it has none, as passwords */
};

enum {
    /* A good token is renewed within the former, or used as it is and left alone for the latter. */
    LOGIN_EARLY_TIMEOUT_MS = 10 * 1000,
    LOGIN_PAUSE_MS = 60 * 1000,
    /* Of a token of which neither its server nor itself tells an end: none is used for ever. */
    LOGIN_UNTOLD_LIFETIME_MS = 60 * 60 * 1000,
};

/*
 * Of a token, login->secret, that was just got and lives that long (0: not told; then its own `exp`
 * counts if it is a JWT, else LOGIN_UNTOLD_LIFETIME_MS): when it is renewed, and when it ends.
 * Docker and others ask once for a push, so what they get has to last: it is fresh for half of its
 * time only. It is good until its last minute.
 */
void login_set_lifetime(struct login *login, int64_t now_ms, int64_t lifetime_ms);
bool login_is_fresh(const struct login *login, int64_t now_ms);
bool login_is_good(const struct login *login, int64_t now_ms);

/* The file, parsed; an empty object if there is none. Free with json_value_free. ERROR_INVALID: it
 * cannot be read, or is no JSON: the message says how to go on. */
MUST_USE enum error_code login_store_read(const char *path, struct json_value **store_out,
                                          struct error *err);

/* The login at that host; LOGIN_NONE if there is none. Texts are copied into the arena. */
struct login login_store_find(const struct json_value *store, const char *host,
                              struct arena *arena);

/* Sets, or with LOGIN_NONE removes, the login at that host and writes the file. The lock must be
 * held. */
MUST_USE enum error_code login_store_write(const char *path, const char *host,
                                           const struct login *login, struct error *err);

/* The registries that there is a login at, in order. */
struct login_visitor {
    void *context;
    void (*visit)(void *context, const char *host, struct str user);
};
void login_store_each(const struct json_value *store, const struct login_visitor *visitor);
