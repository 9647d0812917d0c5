#pragma once

#include <sqlite3.h>

#include "metadata/sql_driver.h"

/* A connection of SQLite with its prepared statements; for sql_sqlite.c only. One thread's at a
 * time. */
enum { STATEMENTS_PER_CONNECTION = 48 /* more than there are queries */ };

struct sqlite_statement {
    struct sql_rows rows; /* first */
    const char *text;
    sqlite3_stmt *handle;
    bool is_open;
};

struct sqlite_connection {
    struct sql_connection connection; /* first */
    struct sqlite_connection *next_idle;
    sqlite3 *handle;
    const char *path; /* for messages; not owned */
    bool is_writer;
    enum sql_durability durability; /* of the writer's `synchronous` now */
    size_t statement_count;
    struct sqlite_statement statements[STATEMENTS_PER_CONNECTION];
};

/* path must outlive the connection. */
MUST_USE enum error_code sqlite_connection_open(struct sql *sql, const char *path, bool is_writer,
                                                struct sqlite_connection **connection_out,
                                                struct error *err);

/* NULL is accepted. */
void sqlite_connection_close(struct sqlite_connection *connection);

/* Says what SQLite says of the failure, with the code for it. */
enum error_code sqlite_connection_fail(const struct sqlite_connection *connection, int result,
                                       struct error *err);

/* Prepared once a connection, kept by the address of its text. It must not be in use. */
MUST_USE enum error_code sqlite_connection_find_statement(struct sqlite_connection *connection,
                                                          const char *text,
                                                          struct sqlite_statement **statement_out,
                                                          struct error *err);

/* Sets the placeholders. The values must outlive the statement's use. */
MUST_USE enum error_code sqlite_statement_bind(const struct sqlite_statement *statement,
                                               const struct sql_query *query, struct error *err);
