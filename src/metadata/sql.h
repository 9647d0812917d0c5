#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/error.h"
#include "base/str.h"

/*
 * A database. Queries are written once, in SQL that every driver takes: placeholders $1, $2, …;
 * `insert … on conflict do nothing returning …`; limits always given. Query texts are literals:
 * drivers keep prepared statements by their address.
 */
struct sql;
struct sql_connection;
struct sql_rows;

enum sql_type { SQL_NULL = 0, SQL_INTEGER, SQL_TEXT, SQL_BYTES };

/* A placeholder's value, or a column's: then it borrows until the next row. */
struct sql_value {
    enum sql_type type;
    int64_t integer;
    struct str bytes; /* of text and bytes */
};

struct sql_value sql_null(void);
struct sql_value sql_integer(int64_t integer);
struct sql_value sql_text(struct str text);
struct sql_value sql_bytes(struct str bytes);

enum sql_durability {
    SQL_DURABLE,    /* what was committed survives a power failure */
    SQL_RELAXED,    /* … survives the end of this process */
    SQL_REPLICATED, /* … and that of a database server whose place another one takes */
};

/*
 * What happens in a transaction, while its caller waits. Repeatable, and free of thread-local
 * state: a driver may call it again, and on another thread. Also behind its own commit, of which
 * nobody heard: it does the same once and twice, and says of what it finds done that it did it.
 */
typedef enum error_code sql_work(struct sql_connection *connection, void *context,
                                 struct error *err);

/*
 * Whether the work may have been committed already, by the same call: then what it finds in its
 * way may be its own.
 */
bool sql_is_repeated(const struct sql_connection *connection);

/* NULL is accepted. */
void sql_free(struct sql *sql);

/* Runs work in a transaction that only reads, all of it seeing the same state. */
MUST_USE enum error_code sql_read(struct sql *sql, sql_work *work, void *context,
                                  struct error *err);

/* The same for a work of one query, which sees one state by itself: one round trip, no more. */
MUST_USE enum error_code sql_read_once(struct sql *sql, sql_work *work, void *context,
                                       struct error *err);

/*
 * Runs work in a transaction that commits if work returns OK, and leaves nothing behind otherwise.
 * OK is returned only once the commit is as durable as asked. Any other failure than the work's own
 * leaves open whether a restart finds the commit: the disk may have taken it and said no.
 */
MUST_USE enum error_code sql_write(struct sql *sql, enum sql_durability durability, sql_work *work,
                                   void *context, struct error *err);

/* A statement and the values of its placeholders, in order. */
struct sql_query {
    const char *text;
    struct sql_value values[14];
    size_t count;
};

/* Begins a query. Close the rows before the next one on this connection with the same text. */
MUST_USE enum error_code sql_query(struct sql_connection *connection, const struct sql_query *query,
                                   struct sql_rows **rows_out, struct error *err);

/* The same, and moves to the first row, if there is one. */
MUST_USE enum error_code sql_query_row(struct sql_connection *connection,
                                       const struct sql_query *query, struct sql_rows **rows_out,
                                       bool *is_row_out, struct error *err);

/* Moves to the next row (first call: the first). */
MUST_USE enum error_code sql_rows_next(struct sql_rows *rows, bool *is_row_out, struct error *err);

/* Columns count from 0. */
struct sql_value sql_rows_column(const struct sql_rows *rows, int column);

/* NULL is accepted; for CLEANUP. */
void sql_rows_close(struct sql_rows **rows);

/*
 * Runs a statement to its end; how many rows it gave (returning) or changed does not matter, or see
 * below. A database that is far away need not be waited for: then what fails is a later call of
 * this transaction, its commit at the latest.
 */
MUST_USE enum error_code sql_run(struct sql_connection *connection, const struct sql_query *query,
                                 struct error *err);

/* As sql_run, and says whether there was a row (`select …`, `… returning …`). */
MUST_USE enum error_code sql_run_for_row(struct sql_connection *connection,
                                         const struct sql_query *query, bool *is_row_out,
                                         struct error *err);

/* Several queries at once, and who takes what each gives: its rows are closed behind that. */
struct sql_batch {
    size_t count;
    void *context;
    const struct sql_query *(*query)(const void *context, size_t i);
    enum error_code (*take)(void *context, size_t i, struct sql_rows *rows, struct error *err);
};

/* Runs them in order, up to the first that fails; in one round trip where there are any. Values
 * must stay as they are until it returns. */
MUST_USE enum error_code sql_batch_run(struct sql_connection *connection,
                                       const struct sql_batch *batch, struct error *err);

/* Runs statements that are separated by semicolons, without values: migrations. */
MUST_USE enum error_code sql_script(struct sql_connection *connection, const char *text,
                                    struct error *err);

/*
 * Waits until no other transaction writes to the tables (separated by commas), and keeps others
 * from it until the end of this one: what a statement finds is still so at the next. NULL: the
 * same among those who lock NULL.
 */
MUST_USE enum error_code sql_lock(struct sql_connection *connection, const char *tables,
                                  struct error *err);

/*
 * Rows were inserted with ids of their own: those that the database gives from now on are larger
 * than all that are there.
 */
MUST_USE enum error_code sql_skip_ids(struct sql_connection *connection, const char *table,
                                      const char *column, struct error *err);
