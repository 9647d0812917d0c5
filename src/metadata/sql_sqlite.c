#include "metadata/sql_sqlite.h"

#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "metadata/sql_driver.h"
#include "metadata/sql_sqlite_connection.h"
#include "metadata/sql_sqlite_writer.h"

enum { FILE_MODE = 0600 };

/* schema/sqlite/NNN-….sql, embedded by the build */
extern const char schema_sqlite_001[];
extern const char schema_sqlite_002[];
extern const char schema_sqlite_003[];
extern const char schema_sqlite_004[];
extern const char schema_sqlite_005[];
extern const char schema_sqlite_006[];
extern const char schema_sqlite_007[];
extern const char schema_sqlite_008[];
extern const char schema_sqlite_009[];
extern const char schema_sqlite_010[];
extern const char schema_sqlite_011[];
extern const char schema_sqlite_012[];
extern const char schema_sqlite_013[];

struct sqlite {
    struct sql sql; /* first */
    char *path;
    struct sqlite_writer *writer;
    pthread_mutex_t readers_mutex; /* guards all below */
    pthread_cond_t has_idle;
    struct sqlite_connection *idle_readers;
    unsigned reader_count;
};

static struct sqlite *sqlite_of(struct sql *sql)
{
    return (struct sqlite *)sql; /* its first member */
}

static const struct migration migrations[] = {
    {"initial", schema_sqlite_001, 0},
    {"tokens", schema_sqlite_002, 0},
    {"sources", schema_sqlite_003, 0},
    {"blob-places", schema_sqlite_004, 0},
    {"upload-tails", schema_sqlite_005, 0},
    {"upload-sums", schema_sqlite_006, 0},
    {"sums", schema_sqlite_007, 0},
    {"runnable", schema_sqlite_008, 0},
    {"swept-blobs", schema_sqlite_009, 0},
    {"ended-uploads", schema_sqlite_010, 0},
    {"referrers-by-age", schema_sqlite_011, 0},
    {"kinds", schema_sqlite_012, 0},
    {"swept-places", schema_sqlite_013, 0},
};

const struct migration *sql_sqlite_migrations(size_t *count_out)
{
    *count_out = ARRAY_LEN(migrations);
    return migrations;
}

static void sqlite_free(struct sql *sql)
{
    struct sqlite *sqlite = sqlite_of(sql);

    while (sqlite->idle_readers) {
        struct sqlite_connection *reader = sqlite->idle_readers;

        sqlite->idle_readers = reader->next_idle;
        sqlite_connection_close(reader);
    }
    sqlite_writer_free(sqlite->writer);
    (void)pthread_cond_destroy(&sqlite->has_idle);
    (void)pthread_mutex_destroy(&sqlite->readers_mutex);
    free(sqlite->path);
    free(sqlite);
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
    code = sqlite_connection_open_reader(&sqlite->sql, sqlite->path, connection_out, err);
    if (code) {
        (void)pthread_mutex_lock(&sqlite->readers_mutex);
        sqlite->reader_count--;
        (void)pthread_mutex_unlock(&sqlite->readers_mutex);
        (void)pthread_cond_signal(&sqlite->has_idle);
    }
    return code;
}

static void give_back(struct sqlite *sqlite, struct sqlite_connection *reader)
{
    (void)pthread_mutex_lock(&sqlite->readers_mutex);
    reader->next_idle = sqlite->idle_readers;
    sqlite->idle_readers = reader;
    (void)pthread_mutex_unlock(&sqlite->readers_mutex);
    (void)pthread_cond_signal(&sqlite->has_idle);
}

static enum error_code sqlite_read(struct sql *sql, enum sql_reading reading, sql_work *work,
                                   void *context, struct error *err)
{
    struct sqlite *sqlite = sqlite_of(sql);
    struct sqlite_connection *reader = NULL;
    enum error_code code = lend_reader(sqlite, &reader, err);

    (void)reading; /* a transaction costs nothing here */
    if (code) {
        return code;
    }
    code = sqlite_connection_run(reader, "begin", err);
    if (!code) {
        code = work(&reader->connection, context, err);
    }
    /* It has written nothing: this and a commit are the same. */
    sqlite_connection_roll_back(reader);
    give_back(sqlite, reader);
    return code;
}

static enum error_code sqlite_write(struct sql *sql, enum sql_durability durability, sql_work *work,
                                    void *context, struct error *err)
{
    struct sqlite *sqlite = sqlite_of(sql);

    return sqlite_writer_run(sqlite->writer, durability, work, context, err);
}

static enum error_code sqlite_query(struct sql_connection *connection,
                                    const struct sql_query *query, struct sql_rows **rows_out,
                                    struct error *err)
{
    struct sqlite_connection *asked = sqlite_connection_of(connection);
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

static enum error_code sqlite_run(struct sql_connection *connection, const struct sql_query *query,
                                  struct error *err)
{
    bool is_row = false;

    return sql_run_for_row(connection, query, &is_row, err);
}

static enum error_code sqlite_next(struct sql_rows *rows, bool *is_row_out, struct error *err)
{
    const struct sqlite_statement *statement = sqlite_statement_of(rows);
    const int result = sqlite3_step(statement->handle);

    if (result != SQLITE_ROW && result != SQLITE_DONE) {
        return sqlite_connection_fail(sqlite_connection_of(rows->connection), result, err);
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
    struct sqlite_statement *statement = sqlite_statement_of(rows);

    (void)sqlite3_reset(statement->handle);
    (void)sqlite3_clear_bindings(statement->handle);
    statement->is_open = false;
}

static enum error_code sqlite_batch(struct sql_connection *connection,
                                    const struct sql_batch *batch, struct error *err)
{
    enum error_code code = OK;

    for (size_t i = 0; i < batch->count && !code; i++) {
        CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;

        code = sqlite_query(connection, batch->query(batch->context, i), &rows, err);
        if (!code) {
            code = batch->take(batch->context, i, rows, err);
        }
    }
    return code;
}

static enum error_code sqlite_script(struct sql_connection *connection, const char *text,
                                     struct error *err)
{
    struct sqlite_connection *running = sqlite_connection_of(connection);
    const int result = sqlite3_exec(running->handle, text, NULL, NULL, NULL);

    return result == SQLITE_OK ? OK : sqlite_connection_fail(running, result, err);
}

/* Only one ever writes. */
static enum error_code sqlite_lock(struct sql_connection *connection, const char *tables,
                                   struct error *err)
{
    (void)connection;
    (void)tables;
    (void)err;
    return OK;
}

/* It looks at what is there each time. */
static enum error_code sqlite_skip_ids(struct sql_connection *connection, const char *table,
                                       const char *column, struct error *err)
{
    (void)connection;
    (void)table;
    (void)column;
    (void)err;
    return OK;
}

static const struct sql_driver sqlite_driver = {
    .free = sqlite_free,
    .read = sqlite_read,
    .write = sqlite_write,
    .query = sqlite_query,
    .run = sqlite_run,
    .next = sqlite_next,
    .column = sqlite_column,
    .close = sqlite_close,
    .batch = sqlite_batch,
    .script = sqlite_script,
    .lock = sqlite_lock,
    .skip_ids = sqlite_skip_ids,
};

/* SQLite would create it for all to read. Its companions get the same mode. */
static enum error_code create_file(const char *path, struct error *err)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);

    if (fd < 0) {
        const enum error_code code = error_set_errno(err, "cannot open the database %s", path);

        return code == ERROR_INTERNAL ? ERROR_INVALID : code;
    }
    (void)close(fd);
    return OK;
}

/* The names of the database and its log must be on the disk too. SQLite tries, but tells nobody if
 * it fails. */
static enum error_code flush_folder(const char *path, struct error *err)
{
    char *copy = memory_copy_text(path);
    const int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum error_code code = OK;

    if (fd < 0 || fsync(fd) < 0) {
        code = error_set_errno(err, "cannot flush the folder of the database %s", path);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    free(copy);
    return code;
}

enum error_code sql_sqlite_open(const char *path, struct sql **sql_out, struct error *err)
{
    struct sqlite *sqlite = memory_new(1, sizeof(*sqlite));
    enum error_code code = OK;

    sqlite->sql.driver = &sqlite_driver;
    sqlite->path = memory_copy_text(path);
    (void)pthread_mutex_init(&sqlite->readers_mutex, NULL);
    (void)pthread_cond_init(&sqlite->has_idle, NULL);
    code = create_file(path, err);
    if (!code) {
        code = sqlite_writer_new(&sqlite->sql, sqlite->path, &sqlite->writer, err);
    }
    if (!code) {
        code = flush_folder(path, err);
    }
    if (code) {
        sqlite_free(&sqlite->sql);
        return code;
    }
    *sql_out = &sqlite->sql;
    return OK;
}
