#pragma once

#include <sqlite3.h>

#include "metadata/sql_driver.h"

/* A connection of SQLite with its prepared statements; for the sources of sql_sqlite only. One
 * thread's at a time. */
enum { STATEMENTS_PER_CONNECTION = 64 /* more than there are queries */ };

struct sqlite_statement {
    struct sql_rows rows; /* first */
    const char *text;
    sqlite3_stmt *handle;
    bool is_open;
};

static inline struct sqlite_statement *sqlite_statement_of(struct sql_rows *rows)
{
    return (struct sqlite_statement *)rows; /* its first member */
}

struct sqlite_connection {
    struct sql_connection connection; /* first */
    struct sqlite_connection *next_idle;
    sqlite3 *handle;
    const char *path;               /* for messages; not owned */
    enum sql_durability durability; /* of the writer's `synchronous` now */
    int log_pages;                  /* what the write-ahead log held after the last commit */
    size_t statement_count;
    struct sqlite_statement statements[STATEMENTS_PER_CONNECTION];
};

static inline struct sqlite_connection *sqlite_connection_of(struct sql_connection *connection)
{
    return (struct sqlite_connection *)connection; /* its first member */
}

/*
 * The writer is opened first: it makes the file ours. ERROR_INVALID if it is somebody else's or
 * cannot be used. path must outlive the connection.
 */
MUST_USE enum error_code sqlite_connection_open_writer(struct sql *sql, const char *path,
                                                       struct sqlite_connection **connection_out,
                                                       struct error *err);
MUST_USE enum error_code sqlite_connection_open_reader(struct sql *sql, const char *path,
                                                       struct sqlite_connection **connection_out,
                                                       struct error *err);

/* NULL is accepted. */
void sqlite_connection_close(struct sqlite_connection *connection);

/* Says what SQLite says of the failure, with the code for it. */
enum error_code sqlite_connection_fail(const struct sqlite_connection *connection, int result,
                                       struct error *err);

/* The writer's transaction. */
MUST_USE enum error_code sqlite_connection_begin(struct sqlite_connection *connection,
                                                 enum sql_durability durability, struct error *err);

/* Runs a statement without values or rows. */
MUST_USE enum error_code sqlite_connection_run(struct sqlite_connection *connection,
                                               const char *text, struct error *err);

/* Some failures (a full disk, say) end a transaction on their own. */
bool sqlite_connection_is_in_transaction(const struct sqlite_connection *connection);

/* Ends the transaction if there is one. */
void sqlite_connection_roll_back(struct sqlite_connection *connection);

/*
 * Whether the last failure was one to flush: then the kernel may have dropped what it could not
 * write, and a later flush would succeed without it.
 */
bool sqlite_connection_has_lost_writes(const struct sqlite_connection *connection);

/* Moves the write-ahead log into the database once it is long; waits for readers only once it is
 * very long. */
MUST_USE enum error_code sqlite_connection_checkpoint(struct sqlite_connection *connection,
                                                      struct error *err);

/* Prepared once a connection, kept by the address of its text. It must not be in use. */
MUST_USE enum error_code sqlite_connection_find_statement(struct sqlite_connection *connection,
                                                          const char *text,
                                                          struct sqlite_statement **statement_out,
                                                          struct error *err);

/* Sets the placeholders. The values must outlive the statement's use. */
MUST_USE enum error_code sqlite_statement_bind(const struct sqlite_statement *statement,
                                               const struct sql_query *query, struct error *err);
