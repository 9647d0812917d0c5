#pragma once

#include "auth/claims.h"
#include "auth/identity_source.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_http_client.h"

/* What the sources that ask others need, and one row of what they are told. */
struct remote_world {
    struct fake_clock clock;
    struct http_client *client;
    struct identity_source *source;
    struct identity *identity; /* of the last question */
    struct error err;
};

extern const struct claim_names remote_world_claims;

void remote_world_init(struct remote_world *world);
void remote_world_release(struct remote_world *world);

/* Asks with a token (or another kind of secret), the service answering so. */
enum error_code remote_world_ask(struct remote_world *world, enum credentials_kind kind,
                                 const char *secret, int status, const char *body);

/* Runs the source's check, the service answering so; the report goes to err.message if it is good.
 */
enum error_code remote_world_check(struct remote_world *world, int status, const char *body);
