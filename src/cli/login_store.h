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
    struct str user;
    struct str secret;        /* access token or password */
    struct str refresh_token; /* of LOGIN_OAUTH */
    struct str token_url;     /* … where it is refreshed */
    struct str client_id;     /* … as whom */
    struct str source;        /* of LOGIN_SERVICE: what the token was got by */
    int64_t expires_ms;       /* wall clock; 0: not known */
};

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
