#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "metadata/database_passwords.h"
#include "settings/schema.h"

/* database.*: where the metadata are kept, and how that is used. All zero is a SQLite database. */
struct database_settings {
    const char *url;  /* NULL: a SQLite database in the data folder */
    const char *user; /* NULL, as the next: what the URL says */
    const char *password;
    bool aws_iam;           /* passwords are tokens, which AWS gives */
    const char *aws_region; /* NULL: the machine's */
    unsigned connections;
    bool prepared_statements;
    int64_t timeout_ms;
    int64_t retry_time_ms;
    int64_t patience_ms; /* of a manifest that is pushed */

    /* No setting: where tokens come from, for whoever opens the database. NULL: from nowhere. */
    const struct database_passwords *passwords;
};

/* False: SQLite. */
bool database_settings_is_postgresql(const struct database_settings *settings);

extern const struct settings_table database_settings_table;
