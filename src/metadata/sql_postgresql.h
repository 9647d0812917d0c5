#pragma once

#include <stdint.h>

#include "base/attributes.h"
#include "base/error.h"
#include "metadata/database_passwords.h"
#include "metadata/migrate.h"
#include "metadata/sql.h"

/* Where the database is, and how it is asked. Texts must outlive the database. */
struct postgresql_config {
    const char *url;      /* postgresql://…, as libpq takes it, also with several hosts */
    const char *user;     /* NULL: as the URL says */
    const char *password; /* NULL: as the URL says */
    const struct database_passwords *passwords; /* NULL: it is always that one; borrowed */
    unsigned connections;                       /* at most */
    int64_t timeout_ms;                         /* of a statement */
    int64_t start_ms;                           /* how long the first connection is waited for */
    int64_t retry_ms;                           /* how long what fails in passing is tried again */
    bool prepared_statements;                   /* false: none; true: unless a proxy forgets them */
};

/*
 * PostgreSQL, on several connections that are made when they are needed. ERROR_UNAVAILABLE if it
 * cannot be reached in config->start_ms; ERROR_INVALID if it is not fit for us: too
 * old, not in UTF-8, or set not to wait for its disk.
 */
MUST_USE enum error_code sql_postgresql_open(const struct postgresql_config *config,
                                             struct sql **sql_out, struct error *err);

/* Statements that were sent since it was opened, and round trips that were waited for. */
void sql_postgresql_count(const struct sql *sql, uint64_t *statements_out,
                          uint64_t *round_trips_out);

/* How the schema of the metadata came to be in SQL of PostgreSQL's: schema/postgresql/NNN-….sql. */
const struct migration *sql_postgresql_migrations(size_t *count_out);
