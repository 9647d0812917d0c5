#pragma once

#include "aws/credentials.h"
#include "base/attributes.h"
#include "base/clock.h"
#include "metadata/database_passwords.h"

/*
 * Passwords for PostgreSQL on Amazon RDS and Aurora: tokens that say who we are to AWS, as `aws rds
 * generate-db-auth-token` makes them. RDS takes one for 15 minutes; it is used for 10, for one
 * server and user alone. For threads.
 */
struct database_tokens;

struct database_tokens_config {
    struct aws_credentials *credentials; /* borrowed */
    const char *region;                  /* of the database; borrowed */
    const struct clock *clock;
};

struct database_tokens *database_tokens_new(const struct database_tokens_config *config);

/* NULL is accepted. */
void database_tokens_free(struct database_tokens *tokens);

/* For metadata: what gives them; borrows them. */
struct database_passwords database_tokens_passwords(struct database_tokens *tokens);

/* Appends a token for the server, signed by these keys at that moment. ERROR_TOO_LARGE. */
MUST_USE enum error_code database_token_sign(const struct aws_keys *keys, const char *region,
                                             int64_t now_ms, const struct database_server *server,
                                             struct strbuf *token, struct error *err);
