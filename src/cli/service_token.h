#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "cli/config.h"
#include "cli/login_store.h"
#include "outbound/http_client.h"

/*
 * The tokens of service users, without a terminal. The first that is set counts:
 *   1. OAUTH2_ACCESS_TOKENS=NAME=TOKEN,… with the name `pierone`;
 *   2. CREDENTIALS_DIR/pierone-token-secret, read each time, since it is replaced before it
 *      expires;
 *   3. OAUTH2_ACCESS_TOKEN_URL, asked with CREDENTIALS_DIR/client.json and user.json (RFC 6749 4.3
 *      and 2.3.1); OAUTH_ACCESS_TOKEN_URL, its older name, if it is not set.
 */
enum service_source {
    SERVICE_NONE = 0, /* nothing of that is set */
    SERVICE_VARIABLE,
    SERVICE_FILE,
    SERVICE_URL,
};

enum service_source service_token_source(const struct environment *environment);

/*
 * Gets a token. login->secret, ->source and ->expires_ms are set, in the arena; a login from before
 * whose token was got in the same way and is good for a while is kept as it is. ERROR_NOT_FOUND:
 * nothing is set. ERROR_INVALID: something is missing or wrong, and how to set it.
 * ERROR_UNAUTHENTICATED: the credentials are refused. ERROR_UNAVAILABLE.
 */
struct service_request {
    const struct environment *environment;
    struct http_client *client;
    struct arena *arena;
    int64_t now_ms; /* wall clock */
};

MUST_USE enum error_code service_token_get(const struct service_request *request,
                                           struct login *login, struct error *err);
