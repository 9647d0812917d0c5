#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "metadata/database_passwords.h"
#include "metadata/metadata.h"
#include "outbound/http_client.h"
#include "server/database_tokens.h"
#include "server/settings.h"

/* Who we are to the database, if it is AWS that vouches for us (database.aws_iam). All zero: not.
 */
struct database_login {
    struct http_client *http;
    struct aws_credentials *credentials;
    struct database_tokens *tokens;
    struct database_passwords passwords;
};

/* metadata_open, metadata_join or metadata_open_to_fill. */
typedef enum error_code metadata_opening(const struct database_settings *settings,
                                         const char *default_path, struct metadata **metadata_out,
                                         struct error *err);

/* As database_login_open, and opens the database so. Release the login in any case. */
MUST_USE enum error_code database_login_and_open(struct settings *settings,
                                                 const char *default_path, metadata_opening *open,
                                                 struct database_login *login_out,
                                                 struct metadata **metadata_out, struct error *err);

/*
 * Prepares it and has the settings lead to it: both must stay where they are for as long as the
 * database is open. Does nothing without database.aws_iam. Asks nobody yet.
 */
MUST_USE enum error_code database_login_open(struct settings *settings,
                                             struct database_login *login_out, struct error *err);

/* When the database is closed. Accepts one that is all zero. */
void database_login_release(struct database_login *login);
