#pragma once

#include <stdbool.h>

#include "aws/keys.h"
#include "base/attributes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "outbound/http_client.h"

/*
 * Where AWS credentials come from, in AWS's usual order: the environment, the shared credentials
 * file, a web identity, the container's credentials, the instance's metadata. The first that is set
 * up counts and is stayed with; one that is set up but fails is an error and never skipped.
 * Refreshed before they expire. Shared by threads.
 */
struct aws_credentials;

/* The value of an environment variable, or NULL. Called by any thread. */
typedef const char *aws_variable(const void *context, const char *name);

struct aws_credentials_config {
    aws_variable *variable;
    const void *context;        /* of variable; borrowed */
    const char *region;         /* of the token service (STS) for web identities; copied */
    struct http_client *client; /* borrowed */
    const struct clock *clock;
};

/* Looks nowhere yet. ERROR_INVALID: no region. */
MUST_USE enum error_code aws_credentials_new(const struct aws_credentials_config *config,
                                             struct aws_credentials **credentials_out,
                                             struct error *err);

/* NULL is accepted. */
void aws_credentials_free(struct aws_credentials *credentials);

/*
 * A copy of keys that are valid now; the caller releases it. Blocks on files and on the network
 * when there are none, or when it is time for new ones: one caller asks then, and all others get
 * the old ones as long as these are valid, or wait. ERROR_UNAVAILABLE: there are none; the message
 * says what was tried and what to set, and is the same for some seconds.
 */
MUST_USE enum error_code aws_credentials_get(struct aws_credentials *credentials,
                                             struct aws_key_copy *copy_out, struct error *err);

/*
 * Those keys were refused though they should be valid: new ones are asked for at the next
 * aws_credentials_get, if these are still the latest. False: that has just been done, and would not
 * help.
 */
MUST_USE bool aws_credentials_renew(struct aws_credentials *credentials,
                                    const struct aws_keys *refused);

/* Whether aws_credentials_get has valid keys now without asking a service for them. */
bool aws_credentials_are_at_hand(struct aws_credentials *credentials);

/* Appends where they come from in plain words, without a secret; `nowhere yet` before the first. */
void aws_credentials_describe(struct aws_credentials *credentials, struct strbuf *text);
