#include "metadata/sql_sqlite_connection.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

enum { BUSY_TIMEOUT_MS = 10000, PLACEHOLDER_BYTES = 8 };

static bool is_full(const struct sqlite_connection *connection, int result);
static int bind_value(sqlite3_stmt *handle, int index, const struct sql_value *value);

enum error_code sqlite_connection_open(struct sql *sql, const char *path, bool is_writer,
                                       struct sqlite_connection **connection_out, struct error *err)
{
    /* A connection is one thread's at a time, by our own locks. */
    const int flags =
        (is_writer ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX;
    const char *setup = is_writer
                            ? "pragma journal_mode = wal; pragma synchronous = full;"
                              "pragma foreign_keys = on; pragma journal_size_limit = 67108864;"
                            : "pragma query_only = on;";
    struct sqlite_connection *connection = memory_new(1, sizeof(*connection));
    int result = SQLITE_OK;

    connection->connection.sql = sql;
    connection->path = path;
    connection->is_writer = is_writer;
    connection->durability = SQL_DURABLE;
    result = sqlite3_open_v2(path, &connection->handle, flags, NULL);
    if (result == SQLITE_OK) {
        (void)sqlite3_extended_result_codes(connection->handle, 1);
        (void)sqlite3_busy_timeout(connection->handle, BUSY_TIMEOUT_MS);
        result = sqlite3_exec(connection->handle, setup, NULL, NULL, NULL);
    }
    if (result != SQLITE_OK) {
        const enum error_code code = sqlite_connection_fail(connection, result, err);

        sqlite_connection_close(connection);
        return code;
    }
    *connection_out = connection;
    return OK;
}

void sqlite_connection_close(struct sqlite_connection *connection)
{
    if (!connection) {
        return;
    }
    for (size_t i = 0; i < connection->statement_count; i++) {
        (void)sqlite3_finalize(connection->statements[i].handle);
    }
    (void)sqlite3_close(connection->handle);
    free(connection);
}

enum error_code sqlite_connection_fail(const struct sqlite_connection *connection, int result,
                                       struct error *err)
{
    const char *path = connection->path;
    const char *reason = connection->handle ? sqlite3_errmsg(connection->handle) : "no memory";

    if (is_full(connection, result)) {
        return error_set(err, ERROR_NO_SPACE,
                         "the database %s finds no room on its disk: make some, a megabyte will do "
                         "to begin with",
                         path);
    }
    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
        return error_set(err, ERROR_UNAVAILABLE, "the database %s: %s", path, reason);
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
        return error_set(err, ERROR_INVALID,
                         "the database %s: %s; move it away, or name another data folder", path,
                         reason);
    default:
        return error_set(err, ERROR_INTERNAL, "the database %s: %s", path, reason);
    }
}

/* Prepared once a connection, kept by the address of its text. */
/* Some ways of running out of room are input/output errors to SQLite: its shared memory's file,
 * say. */
static bool is_full(const struct sqlite_connection *connection, int result)
{
    return (result & 0xff) == SQLITE_FULL ||
           ((result & 0xff) == SQLITE_IOERR && connection->handle &&
            sqlite3_system_errno(connection->handle) == ENOSPC);
}

enum error_code sqlite_connection_find_statement(struct sqlite_connection *connection,
                                                 const char *text,
                                                 struct sqlite_statement **statement_out,
                                                 struct error *err)
{
    struct sqlite_statement *fresh = NULL;
    int result = SQLITE_OK;

    for (size_t i = 0; i < connection->statement_count; i++) {
        if (connection->statements[i].text == text) {
            *statement_out = &connection->statements[i];
            assert(!(*statement_out)->is_open);
            return OK;
        }
    }
    assert(connection->statement_count < STATEMENTS_PER_CONNECTION);
    fresh = &connection->statements[connection->statement_count];
    result = sqlite3_prepare_v3(connection->handle, text, -1, SQLITE_PREPARE_PERSISTENT,
                                &fresh->handle, NULL);
    if (result != SQLITE_OK) {
        return sqlite_connection_fail(connection, result, err);
    }
    fresh->text = text;
    fresh->rows.connection = &connection->connection;
    connection->statement_count++;
    *statement_out = fresh;
    return OK;
}

/* By name: SQLite numbers placeholders by their first appearance, whatever digits they have. */
enum error_code sqlite_statement_bind(const struct sqlite_statement *statement,
                                      const struct sql_query *query, struct error *err)
{
    for (size_t i = 0; i < query->count; i++) {
        char name[PLACEHOLDER_BYTES];
        int result = SQLITE_OK;

        (void)snprintf(name, sizeof(name), "$%u", (unsigned)i + 1);
        result =
            bind_value(statement->handle, sqlite3_bind_parameter_index(statement->handle, name),
                       &query->values[i]);
        if (result != SQLITE_OK) {
            return sqlite_connection_fail((struct sqlite_connection *)statement->rows.connection,
                                          result, err);
        }
    }
    return OK;
}

static int bind_value(sqlite3_stmt *handle, int index, const struct sql_value *value)
{
    switch (value->type) {
    case SQL_NULL:
        return sqlite3_bind_null(handle, index);
    case SQL_INTEGER:
        return sqlite3_bind_int64(handle, index, value->integer);
    case SQL_TEXT:
        return sqlite3_bind_text64(handle, index, value->bytes.length ? value->bytes.bytes : "",
                                   value->bytes.length, SQLITE_STATIC, SQLITE_UTF8);
    case SQL_BYTES:
        return sqlite3_bind_blob64(handle, index, value->bytes.length ? value->bytes.bytes : "",
                                   value->bytes.length, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}
