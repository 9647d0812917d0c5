#include "metadata/sql_sqlite_connection.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

enum {
    BUSY_TIMEOUT_MS = 10000,
    PLACEHOLDER_BYTES = 8,
    CHECKPOINT_PAGES = 1000, /* 4 MB */
    RESTART_PAGES = 16384,   /* 64 MB: as much as `journal_size_limit` leaves on the disk */
};

/* At start: what is wrong with the file itself is for whoever named it to put right. */
static enum error_code refuse(const struct sqlite_connection *connection, int result,
                              struct error *err)
{
    const char *reason = connection->handle ? sqlite3_errmsg(connection->handle) : "no memory";

    switch (result & 0xff) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return error_set(err, ERROR_INVALID,
                         "the database %s: %s; restore it from a backup, or name another data "
                         "folder",
                         connection->path, reason);
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return error_set(err, ERROR_INVALID,
                         "the database %s: %s; let this user write it and its folder, or name "
                         "another data folder",
                         connection->path, reason);
    default:
        return sqlite_connection_fail(connection, result, err);
    }
}

/* *connection_out is set also on failure, for its caller to close. */
static enum error_code open_connection(struct sql *sql, const char *path, int flags,
                                       struct sqlite_connection **connection_out, struct error *err)
{
    struct sqlite_connection *connection = memory_new(1, sizeof(*connection));
    int result = SQLITE_OK;

    connection->connection.sql = sql;
    connection->path = path;
    connection->durability = SQL_DURABLE;
    *connection_out = connection;
    /* A connection is one thread's at a time, by our own locks. */
    result = sqlite3_open_v2(path, &connection->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (result != SQLITE_OK) {
        return flags == SQLITE_OPEN_READWRITE ? refuse(connection, result, err)
                                              : sqlite_connection_fail(connection, result, err);
    }
    (void)sqlite3_extended_result_codes(connection->handle, 1);
    (void)sqlite3_busy_timeout(connection->handle, BUSY_TIMEOUT_MS);
    return OK;
}

/*
 * "PIER" in the file's header says whose it is (SQLite: "Database File Format", 1.3). migrate.c's
 * schema_version does so for files from before that name was left in them.
 */
static const char find_owner[] =
    "select id = 0x50494552 or (id = 0 and (exists (select 1 from sqlite_schema "
    "where name = 'schema_version') or not exists (select 1 from sqlite_schema))), "
    "id = 0x50494552 from (select application_id as id from pragma_application_id)";
static const char leave_name[] = "pragma application_id = 0x50494552";

/* With recursive triggers, `replace` does not pass by those that forbid deleting. */
static const char writer_setup[] =
    "pragma journal_mode = wal; pragma synchronous = full;"
    "pragma foreign_keys = on; pragma recursive_triggers = on;"
    "pragma journal_size_limit = 67108864; pragma cache_size = -4096;";

static int count_log_pages(void *context, sqlite3 *handle, const char *name, int pages)
{
    struct sqlite_connection *writer = context;

    (void)handle;
    (void)name;
    writer->log_pages = pages;
    return SQLITE_OK;
}

/* Nothing is written to a file before it is known to be ours, or nobody's. */
static enum error_code claim(struct sqlite_connection *writer, struct error *err)
{
    sqlite3_stmt *owner = NULL;
    bool is_ours = false;
    bool is_named = false;
    int result = sqlite3_prepare_v2(writer->handle, find_owner, -1, &owner, NULL);

    if (result == SQLITE_OK) {
        (void)sqlite3_step(owner); /* finalize says the same again */
        is_ours = sqlite3_column_int(owner, 0);
        is_named = sqlite3_column_int(owner, 1);
        result = sqlite3_finalize(owner);
    }
    if (result == SQLITE_OK && !is_ours) {
        return error_set(err, ERROR_INVALID,
                         "the database %s belongs to another program: name another data folder",
                         writer->path);
    }
    if (result == SQLITE_OK) {
        result = sqlite3_exec(writer->handle, writer_setup, NULL, NULL, NULL);
    }
    /* On a full disk a server must still start, to be pulled from: nothing is written twice. */
    if (result == SQLITE_OK && !is_named) {
        result = sqlite3_exec(writer->handle, leave_name, NULL, NULL, NULL);
    }
    /* Instead of SQLite's own checkpoints, which keep to themselves that they failed. */
    (void)sqlite3_wal_hook(writer->handle, count_log_pages, writer);
    return result == SQLITE_OK ? OK : refuse(writer, result, err);
}

enum error_code sqlite_connection_open_writer(struct sql *sql, const char *path,
                                              struct sqlite_connection **connection_out,
                                              struct error *err)
{
    struct sqlite_connection *writer = NULL;
    enum error_code code = open_connection(sql, path, SQLITE_OPEN_READWRITE, &writer, err);

    if (!code) {
        code = claim(writer, err);
    }
    if (code) {
        sqlite_connection_close(writer);
        return code;
    }
    *connection_out = writer;
    return OK;
}

/* The kernel caches the file for all of them. */
static const char reader_setup[] = "pragma query_only = on; pragma cache_size = -512";

enum error_code sqlite_connection_open_reader(struct sql *sql, const char *path,
                                              struct sqlite_connection **connection_out,
                                              struct error *err)
{
    struct sqlite_connection *reader = NULL;
    enum error_code code = open_connection(sql, path, SQLITE_OPEN_READONLY, &reader, err);

    if (!code) {
        const int result = sqlite3_exec(reader->handle, reader_setup, NULL, NULL, NULL);

        code = result == SQLITE_OK ? OK : sqlite_connection_fail(reader, result, err);
    }
    if (code) {
        sqlite_connection_close(reader);
        return code;
    }
    *connection_out = reader;
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

/* Some ways of running out of room are input/output errors to SQLite: a quota, its shared memory's
 * file. */
static bool is_full(const struct sqlite_connection *connection, int result)
{
    const int reason = connection->handle ? sqlite3_system_errno(connection->handle) : 0;

    return (result & 0xff) == SQLITE_FULL ||
           ((result & 0xff) == SQLITE_IOERR && (reason == ENOSPC || reason == EDQUOT));
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
    case SQLITE_CANTOPEN: /* it was open before: no descriptors are left */
        return error_set(err, ERROR_UNAVAILABLE, "the database %s: %s", path, reason);
    default:
        return error_set(err, ERROR_INTERNAL, "the database %s: %s", path, reason);
    }
}

enum error_code sqlite_connection_begin(struct sqlite_connection *connection,
                                        enum sql_durability durability, struct error *err)
{
    if (durability != connection->durability) {
        /*
         * In WAL mode FULL flushes the log at each commit, before the index of the log tells
         * readers of it; NORMAL leaves flushing to the next FULL commit or checkpoint. (SQLite:
         * "Write-Ahead Logging", 2.3; "PRAGMA synchronous")
         */
        const int result = sqlite3_exec(connection->handle,
                                        durability == SQL_DURABLE ? "pragma synchronous = full"
                                                                  : "pragma synchronous = normal",
                                        NULL, NULL, NULL);

        if (result != SQLITE_OK) {
            return sqlite_connection_fail(connection, result, err);
        }
        connection->durability = durability;
    }
    return sqlite_connection_run(connection, "begin immediate", err);
}

enum error_code sqlite_connection_run(struct sqlite_connection *connection, const char *text,
                                      struct error *err)
{
    const struct sql_query query = {.text = text};

    return sql_run(&connection->connection, &query, err);
}

bool sqlite_connection_is_in_transaction(const struct sqlite_connection *connection)
{
    return !sqlite3_get_autocommit(connection->handle);
}

void sqlite_connection_roll_back(struct sqlite_connection *connection)
{
    if (sqlite_connection_is_in_transaction(connection)) {
        (void)sqlite3_exec(connection->handle, "rollback", NULL, NULL, NULL);
    }
}

bool sqlite_connection_has_lost_writes(const struct sqlite_connection *connection)
{
    const int result = sqlite3_extended_errcode(connection->handle);

    return result == SQLITE_IOERR_FSYNC || result == SQLITE_IOERR_DIR_FSYNC;
}

enum error_code sqlite_connection_checkpoint(struct sqlite_connection *connection,
                                             struct error *err)
{
    const int mode = connection->log_pages < RESTART_PAGES ? SQLITE_CHECKPOINT_PASSIVE
                                                           : SQLITE_CHECKPOINT_RESTART;
    int result = SQLITE_OK;

    if (connection->log_pages < CHECKPOINT_PAGES) {
        return OK;
    }
    result = sqlite3_wal_checkpoint_v2(connection->handle, NULL, mode, NULL, NULL);
    /* A reader was in the way: the next one goes on. */
    if (result == SQLITE_OK || (result & 0xff) == SQLITE_BUSY) {
        return OK;
    }
    return sqlite_connection_fail(connection, result, err);
}

/* Prepared once a connection, kept by the address of its text. */
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
