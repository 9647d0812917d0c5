#include "metadata/sql_sqlite.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "metadata/sql_driver.h"
#include "metadata/sql_sqlite_connection.h"

enum { FILE_MODE = 0600 };

struct sqlite {
    struct sql sql; /* first */
    char *path;
    pthread_mutex_t writer_mutex; /* held while the writer is lent; guards has_lost_writes */
    struct sqlite_connection *writer;
    bool has_lost_writes;          /* a flush failed: what the disk holds is not known any more */
    pthread_mutex_t readers_mutex; /* guards idle_readers and reader_count */
    pthread_cond_t has_idle;
    struct sqlite_connection *idle_readers;
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
static enum error_code lend_reader(struct sqlite *sqlite, struct sqlite_connection **connection_out,
                                   struct error *err);

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
        code = sqlite_connection_open(&sqlite->sql, sqlite->path, true, &sqlite->writer, err);
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
        struct sqlite_connection *reader = sqlite->idle_readers;

        sqlite->idle_readers = reader->next_idle;
        sqlite_connection_close(reader);
    }
    sqlite_connection_close(sqlite->writer);
    (void)pthread_cond_destroy(&sqlite->has_idle);
    (void)pthread_mutex_destroy(&sqlite->readers_mutex);
    (void)pthread_mutex_destroy(&sqlite->writer_mutex);
    free(sqlite->path);
    free(sqlite);
}

static enum error_code sqlite_acquire(struct sql *sql, bool writes,
                                      struct sql_connection **connection_out, struct error *err)
{
    struct sqlite *sqlite = (struct sqlite *)sql; /* its first member */
    struct sqlite_connection *reader = NULL;
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

static enum error_code lend_reader(struct sqlite *sqlite, struct sqlite_connection **connection_out,
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
    code = sqlite_connection_open(&sqlite->sql, sqlite->path, false, connection_out, err);
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
    struct sqlite_connection *released =
        (struct sqlite_connection *)connection; /* its first member */
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
    struct sqlite_connection *beginning =
        (struct sqlite_connection *)connection; /* its first member */
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
        return sqlite_connection_fail(beginning, result, err);
    }
    if (writes) {
        beginning->durability = durability;
    }
    return sql_run(connection, writes ? &begin_write : &begin_read, err);
}

static enum error_code sqlite_commit(struct sql_connection *connection, struct error *err)
{
    static const struct sql_query commit = {.text = "commit"};
    const struct sqlite_connection *committing =
        (struct sqlite_connection *)connection; /* its first member */
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
    struct sqlite_connection *rolling =
        (struct sqlite_connection *)connection; /* its first member */

    /* Some failures (a full disk, say) have ended the transaction already. */
    if (!sqlite3_get_autocommit(rolling->handle)) {
        (void)sqlite3_exec(rolling->handle, "rollback", NULL, NULL, NULL);
    }
}

static enum error_code sqlite_query(struct sql_connection *connection,
                                    const struct sql_query *query, struct sql_rows **rows_out,
                                    struct error *err)
{
    struct sqlite_connection *asked = (struct sqlite_connection *)connection; /* its first member */
    struct sqlite_statement *statement = NULL;
    enum error_code code = sqlite_connection_find_statement(asked, query->text, &statement, err);

    if (code) {
        return code;
    }
    code = sqlite_statement_bind(statement, query, err);
    if (!code) {
        statement->is_open = true;
        *rows_out = &statement->rows;
    }
    return code;
}

static enum error_code sqlite_next(struct sql_rows *rows, bool *is_row_out, struct error *err)
{
    const struct sqlite_statement *statement =
        (struct sqlite_statement *)rows; /* its first member */
    const int result = sqlite3_step(statement->handle);

    if (result != SQLITE_ROW && result != SQLITE_DONE) {
        return sqlite_connection_fail((struct sqlite_connection *)rows->connection, result, err);
    }
    *is_row_out = result == SQLITE_ROW;
    return OK;
}

static struct sql_value sqlite_column(const struct sql_rows *rows, int column)
{
    sqlite3_stmt *handle = ((const struct sqlite_statement *)rows)->handle;
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
    struct sqlite_statement *statement = (struct sqlite_statement *)rows; /* its first member */

    (void)sqlite3_reset(statement->handle);
    (void)sqlite3_clear_bindings(statement->handle);
    statement->is_open = false;
}

static enum error_code sqlite_script(struct sql_connection *connection, const char *text,
                                     struct error *err)
{
    struct sqlite_connection *running =
        (struct sqlite_connection *)connection; /* its first member */
    const int result = sqlite3_exec(running->handle, text, NULL, NULL, NULL);

    return result == SQLITE_OK ? OK : sqlite_connection_fail(running, result, err);
}
