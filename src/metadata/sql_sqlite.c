#include "metadata/sql_sqlite.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "metadata/sql_driver.h"

enum {
    STATEMENTS_PER_CONNECTION = 48, /* more than there are queries */
    BUSY_TIMEOUT_MS = 10000,
    PLACEHOLDER_BYTES = 8,
    FILE_MODE = 0600,
};

struct statement {
    struct sql_rows rows; /* first */
    const char *text;
    sqlite3_stmt *handle;
    bool is_open;
};

struct connection {
    struct sql_connection connection; /* first */
    struct connection *next_idle;
    sqlite3 *handle;
    bool is_writer;
    enum sql_durability durability; /* of the writer's `synchronous` now */
    size_t statement_count;
    struct statement statements[STATEMENTS_PER_CONNECTION];
};

struct sqlite {
    struct sql sql; /* first */
    char *path;
    pthread_mutex_t writer_mutex; /* held while the writer is lent; guards has_lost_writes */
    struct connection *writer;
    bool has_lost_writes;          /* a flush failed: what the disk holds is not known any more */
    pthread_mutex_t readers_mutex; /* guards idle_readers and reader_count */
    pthread_cond_t has_idle;
    struct connection *idle_readers;
    unsigned reader_count;
};

static void sqlite_free(struct sql *sql);
static enum error_code sqlite_acquire(struct sql *sql, bool writes,
                                      struct sql_connection **connection_out, struct error *err);
static void sqlite_release(struct sql_connection *connection);
static enum error_code sqlite_begin(struct sql_connection *connection, bool writes,
                                    enum sql_durability durability, struct error *err);
static enum error_code sqlite_commit(struct sql_connection *connection, struct error *err);
static void sqlite_rollback(struct sql_connection *connection);
static enum error_code sqlite_query(struct sql_connection *connection,
                                    const struct sql_query *query, struct sql_rows **rows_out,
                                    struct error *err);
static enum error_code sqlite_next(struct sql_rows *rows, bool *is_row_out, struct error *err);
static struct sql_value sqlite_column(const struct sql_rows *rows, int column);
static void sqlite_close(struct sql_rows *rows);
static enum error_code sqlite_script(struct sql_connection *connection, const char *text,
                                     struct error *err);
static enum error_code create_file(const char *path, struct error *err);
static enum error_code open_connection(struct sqlite *sqlite, bool is_writer,
                                       struct connection **connection_out, struct error *err);
static void close_connection(struct connection *connection);
static enum error_code lend_reader(struct sqlite *sqlite, struct connection **connection_out,
                                   struct error *err);
static enum error_code find_statement(struct connection *connection, const char *text,
                                      struct statement **statement_out, struct error *err);
static enum error_code bind(const struct statement *statement, const struct sql_query *query,
                            struct error *err);
static enum error_code fail(const struct connection *connection, int result, struct error *err);

static const struct sql_driver sqlite_driver = {
    .free = sqlite_free,
    .acquire = sqlite_acquire,
    .release = sqlite_release,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .query = sqlite_query,
    .next = sqlite_next,
    .column = sqlite_column,
    .close = sqlite_close,
    .script = sqlite_script,
};

enum error_code sql_sqlite_open(const char *path, struct sql **sql_out, struct error *err)
{
    struct sqlite *sqlite = memory_new(1, sizeof(*sqlite));
    enum error_code code = OK;

    sqlite->sql.driver = &sqlite_driver;
    sqlite->path = memory_copy_text(path);
    (void)pthread_mutex_init(&sqlite->writer_mutex, NULL);
    (void)pthread_mutex_init(&sqlite->readers_mutex, NULL);
    (void)pthread_cond_init(&sqlite->has_idle, NULL);
    code = create_file(path, err);
    if (!code) {
        code = open_connection(sqlite, true, &sqlite->writer, err);
    }
    if (code) {
        sqlite_free(&sqlite->sql);
        return code;
    }
    *sql_out = &sqlite->sql;
    return OK;
}

/* SQLite would create it for all to read. Its companions get the same mode. */
static enum error_code create_file(const char *path, struct error *err)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);

    if (fd < 0) {
        (void)error_set_errno(err, "cannot open the database %s", path);
        return ERROR_INVALID;
    }
    (void)close(fd);
    return OK;
}

static void sqlite_free(struct sql *sql)
{
    struct sqlite *sqlite = (struct sqlite *)sql; /* its first member */

    while (sqlite->idle_readers) {
        struct connection *reader = sqlite->idle_readers;

        sqlite->idle_readers = reader->next_idle;
        close_connection(reader);
    }
    close_connection(sqlite->writer);
    (void)pthread_cond_destroy(&sqlite->has_idle);
    (void)pthread_mutex_destroy(&sqlite->readers_mutex);
    (void)pthread_mutex_destroy(&sqlite->writer_mutex);
    free(sqlite->path);
    free(sqlite);
}

static void close_connection(struct connection *connection)
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

static enum error_code open_connection(struct sqlite *sqlite, bool is_writer,
                                       struct connection **connection_out, struct error *err)
{
    /* A connection is one thread's at a time, by our own locks. */
    const int flags =
        (is_writer ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX;
    const char *setup = is_writer
                            ? "pragma journal_mode = wal; pragma synchronous = full;"
                              "pragma foreign_keys = on; pragma journal_size_limit = 67108864;"
                            : "pragma query_only = on;";
    struct connection *connection = memory_new(1, sizeof(*connection));
    int result = SQLITE_OK;

    connection->connection.sql = &sqlite->sql;
    connection->is_writer = is_writer;
    connection->durability = SQL_DURABLE;
    result = sqlite3_open_v2(sqlite->path, &connection->handle, flags, NULL);
    if (result == SQLITE_OK) {
        (void)sqlite3_extended_result_codes(connection->handle, 1);
        (void)sqlite3_busy_timeout(connection->handle, BUSY_TIMEOUT_MS);
        result = sqlite3_exec(connection->handle, setup, NULL, NULL, NULL);
    }
    if (result != SQLITE_OK) {
        const enum error_code code = fail(connection, result, err);

        close_connection(connection);
        return code;
    }
    *connection_out = connection;
    return OK;
}

static enum error_code fail(const struct connection *connection, int result, struct error *err)
{
    const char *path = ((const struct sqlite *)connection->connection.sql)->path;
    const char *reason = connection->handle ? sqlite3_errmsg(connection->handle) : "no memory";

    switch (result & 0xff) {
    case SQLITE_FULL:
        return error_set(err, ERROR_NO_SPACE, "the database %s: %s", path, reason);
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

static enum error_code sqlite_acquire(struct sql *sql, bool writes,
                                      struct sql_connection **connection_out, struct error *err)
{
    struct sqlite *sqlite = (struct sqlite *)sql; /* its first member */
    struct connection *reader = NULL;
    enum error_code code = OK;

    if (writes) {
        (void)pthread_mutex_lock(&sqlite->writer_mutex);
        if (sqlite->has_lost_writes) {
            (void)pthread_mutex_unlock(&sqlite->writer_mutex);
            return error_set(err, ERROR_UNAVAILABLE,
                             "the database %s could not be flushed to disk: check the disk, then "
                             "restart",
                             sqlite->path);
        }
        *connection_out = &sqlite->writer->connection;
        return OK;
    }
    code = lend_reader(sqlite, &reader, err);
    if (!code) {
        *connection_out = &reader->connection;
    }
    return code;
}

static enum error_code lend_reader(struct sqlite *sqlite, struct connection **connection_out,
                                   struct error *err)
{
    enum error_code code = OK;

    (void)pthread_mutex_lock(&sqlite->readers_mutex);
    while (!sqlite->idle_readers && sqlite->reader_count == SQLITE_READERS) {
        (void)pthread_cond_wait(&sqlite->has_idle, &sqlite->readers_mutex);
    }
    if (sqlite->idle_readers) {
        *connection_out = sqlite->idle_readers;
        sqlite->idle_readers = (*connection_out)->next_idle;
        (void)pthread_mutex_unlock(&sqlite->readers_mutex);
        return OK;
    }
    sqlite->reader_count++;
    (void)pthread_mutex_unlock(&sqlite->readers_mutex);
    code = open_connection(sqlite, false, connection_out, err);
    if (code) {
        (void)pthread_mutex_lock(&sqlite->readers_mutex);
        sqlite->reader_count--;
        (void)pthread_mutex_unlock(&sqlite->readers_mutex);
        (void)pthread_cond_signal(&sqlite->has_idle);
    }
    return code;
}

static void sqlite_release(struct sql_connection *connection)
{
    struct connection *released = (struct connection *)connection; /* its first member */
    struct sqlite *sqlite = (struct sqlite *)connection->sql;

    if (released->is_writer) {
        (void)pthread_mutex_unlock(&sqlite->writer_mutex);
        return;
    }
    (void)pthread_mutex_lock(&sqlite->readers_mutex);
    released->next_idle = sqlite->idle_readers;
    sqlite->idle_readers = released;
    (void)pthread_mutex_unlock(&sqlite->readers_mutex);
    (void)pthread_cond_signal(&sqlite->has_idle);
}

static enum error_code sqlite_begin(struct sql_connection *connection, bool writes,
                                    enum sql_durability durability, struct error *err)
{
    struct connection *beginning = (struct connection *)connection; /* its first member */
    static const struct sql_query begin_read = {.text = "begin"};
    static const struct sql_query begin_write = {.text = "begin immediate"};
    int result = SQLITE_OK;

    if (writes && durability != beginning->durability) {
        /*
         * In WAL mode FULL flushes the log at each commit, before the commit can be seen; NORMAL
         * leaves it to the operating system. A later FULL commit flushes all that came before it.
         */
        result = sqlite3_exec(beginning->handle,
                              durability == SQL_DURABLE ? "pragma synchronous = full"
                                                        : "pragma synchronous = normal",
                              NULL, NULL, NULL);
    }
    if (result != SQLITE_OK) {
        return fail(beginning, result, err);
    }
    if (writes) {
        beginning->durability = durability;
    }
    return sql_run(connection, writes ? &begin_write : &begin_read, err);
}

static enum error_code sqlite_commit(struct sql_connection *connection, struct error *err)
{
    static const struct sql_query commit = {.text = "commit"};
    const struct connection *committing = (struct connection *)connection; /* its first member */
    struct sqlite *sqlite = (struct sqlite *)connection->sql;
    const enum error_code code = sql_run(connection, &commit, err);

    /*
     * After a failed fsync(2) the kernel may have dropped what it could not write, also of earlier
     * relaxed commits; a later flush would succeed without them. Never retried into a success.
     */
    if (code && sqlite3_extended_errcode(committing->handle) == SQLITE_IOERR_FSYNC) {
        sqlite->has_lost_writes = true;
    }
    return code;
}

static void sqlite_rollback(struct sql_connection *connection)
{
    struct connection *rolling = (struct connection *)connection; /* its first member */

    /* Some failures (a full disk, say) have ended the transaction already. */
    if (!sqlite3_get_autocommit(rolling->handle)) {
        (void)sqlite3_exec(rolling->handle, "rollback", NULL, NULL, NULL);
    }
}

static enum error_code sqlite_query(struct sql_connection *connection,
                                    const struct sql_query *query, struct sql_rows **rows_out,
                                    struct error *err)
{
    struct connection *asked = (struct connection *)connection; /* its first member */
    struct statement *statement = NULL;
    enum error_code code = find_statement(asked, query->text, &statement, err);

    if (!code) {
        code = bind(statement, query, err);
    }
    if (!code) {
        statement->is_open = true;
        *rows_out = &statement->rows;
    }
    return code;
}

/* Prepared once a connection, kept by the address of its text. */
static enum error_code find_statement(struct connection *connection, const char *text,
                                      struct statement **statement_out, struct error *err)
{
    struct statement *fresh = NULL;
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
        return fail(connection, result, err);
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
static enum error_code bind(const struct statement *statement, const struct sql_query *query,
                            struct error *err)
{
    for (size_t i = 0; i < query->count; i++) {
        char name[PLACEHOLDER_BYTES];
        int result = SQLITE_OK;

        (void)snprintf(name, sizeof(name), "$%u", (unsigned)i + 1);
        result =
            bind_value(statement->handle, sqlite3_bind_parameter_index(statement->handle, name),
                       &query->values[i]);
        if (result != SQLITE_OK) {
            return fail((struct connection *)statement->rows.connection, result, err);
        }
    }
    return OK;
}

static enum error_code sqlite_next(struct sql_rows *rows, bool *is_row_out, struct error *err)
{
    const struct statement *statement = (struct statement *)rows; /* its first member */
    const int result = sqlite3_step(statement->handle);

    if (result != SQLITE_ROW && result != SQLITE_DONE) {
        return fail((struct connection *)rows->connection, result, err);
    }
    *is_row_out = result == SQLITE_ROW;
    return OK;
}

static struct sql_value sqlite_column(const struct sql_rows *rows, int column)
{
    sqlite3_stmt *handle = ((const struct statement *)rows)->handle;
    const void *bytes = NULL;

    switch (sqlite3_column_type(handle, column)) {
    case SQLITE_INTEGER:
        return sql_integer(sqlite3_column_int64(handle, column));
    case SQLITE_TEXT:
        bytes = sqlite3_column_text(handle, column);
        return sql_text((struct str){bytes, (size_t)sqlite3_column_bytes(handle, column)});
    case SQLITE_BLOB:
        bytes = sqlite3_column_blob(handle, column);
        return sql_bytes((struct str){bytes, (size_t)sqlite3_column_bytes(handle, column)});
    default:
        return sql_null();
    }
}

static void sqlite_close(struct sql_rows *rows)
{
    struct statement *statement = (struct statement *)rows; /* its first member */

    (void)sqlite3_reset(statement->handle);
    (void)sqlite3_clear_bindings(statement->handle);
    statement->is_open = false;
}

static enum error_code sqlite_script(struct sql_connection *connection, const char *text,
                                     struct error *err)
{
    struct connection *running = (struct connection *)connection; /* its first member */
    const int result = sqlite3_exec(running->handle, text, NULL, NULL, NULL);

    return result == SQLITE_OK ? OK : fail(running, result, err);
}
