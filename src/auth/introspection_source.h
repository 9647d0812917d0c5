#pragma once

#include "auth/claims.h"
#include "auth/identity_source.h"
#include "base/clock.h"
#include "outbound/http_client.h"

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

/* All borrowed, and used as long as the source lives. */
struct identity_source *introspection_source_new(const struct introspection_config *config);
