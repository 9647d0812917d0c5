#include "metadata/sql_sqlite_writer.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/memory.h"
#include "metadata/sql_sqlite_connection.h"

/* What a caller waits for; on its stack. */
struct write {
    struct write *next;
    enum sql_durability durability;
    sql_work *work;
    void *context;
    struct error *err;
    enum error_code code;
    bool is_done;
    pthread_cond_t has_news; /* it is done, or first in a queue that nobody leads */
};

struct sqlite_writer {
    struct sqlite_connection *connection; /* the leader's, as is has_lost_writes */
    const char *path;                     /* for messages; not owned */
    bool has_lost_writes;        /* a flush failed: what the disk holds is not known any more */
    pthread_mutex_t queue_mutex; /* guards all below, and is_done of the queued */
    bool is_led;
    struct write *first;
    struct write **end;
};

enum error_code sqlite_writer_new(struct sql *sql, const char *path,
                                  struct sqlite_writer **writer_out, struct error *err)
{
    struct sqlite_connection *connection = NULL;
    const enum error_code code = sqlite_connection_open_writer(sql, path, &connection, err);
    struct sqlite_writer *writer = NULL;

    if (code) {
        return code;
    }
    writer = memory_new(1, sizeof(*writer));
    writer->connection = connection;
    writer->path = path;
    writer->end = &writer->first;
    (void)pthread_mutex_init(&writer->queue_mutex, NULL);
    *writer_out = writer;
    return OK;
}

void sqlite_writer_free(struct sqlite_writer *writer)
{
    if (writer) {
        sqlite_connection_close(writer->connection);
        (void)pthread_mutex_destroy(&writer->queue_mutex);
        free(writer);
    }
}

static void enqueue(struct sqlite_writer *writer, struct write *write)
{
    *writer->end = write;
    writer->end = &write->next;
}

/* The first of the queue, in order, as many as go into one commit. */
static struct write *writer_take_batch(struct sqlite_writer *writer)
{
    struct write *batch = writer->first;
    struct write **end = &writer->first;

    for (int i = 0; i < WRITES_PER_COMMIT && *end; i++) {
        end = &(*end)->next;
    }
    writer->first = *end;
    *end = NULL;
    if (!writer->first) {
        writer->end = &writer->first;
    }
    return batch;
}

static enum error_code begin_batch(struct sqlite_writer *writer, const struct write *batch,
                                   struct error *err)
{
    enum sql_durability durability = SQL_RELAXED;

    if (writer->has_lost_writes) {
        /*
         * After a failed fsync(2) the kernel may have dropped what it could not write, earlier
         * relaxed commits too; the next flush would succeed without them. So it is never tried.
         */
        return error_set(err, ERROR_UNAVAILABLE,
                         "the database %s could not be flushed to disk: check the disk, then "
                         "restart",
                         writer->path);
    }
    for (const struct write *write = batch; write; write = write->next) {
        durability = write->durability == SQL_DURABLE ? SQL_DURABLE : durability;
    }
    return sqlite_connection_begin(writer->connection, durability, err);
}

/* Its own failure goes to the write and undoes only that; returned is what ends the transaction. */
static enum error_code run_one(struct sqlite_connection *connection, struct write *write,
                               struct error *err)
{
    enum error_code code = sqlite_connection_run(connection, "savepoint work", err);

    if (code) {
        return code;
    }
    write->code = write->work(&connection->connection, write->context, write->err);
    if (write->code && !sqlite_connection_is_in_transaction(connection)) {
        if (write->err) {
            *err = *write->err;
        }
        return write->code;
    }
    if (write->code) {
        code = sqlite_connection_run(connection, "rollback to work", err);
    }
    return code ? code : sqlite_connection_run(connection, "release work", err);
}

static enum error_code run_batch(struct sqlite_writer *writer, struct write *batch,
                                 struct error *err)
{
    enum error_code code = begin_batch(writer, batch, err);
    bool has_success = false;

    for (struct write *write = batch; write && !code; write = write->next) {
        code = run_one(writer->connection, write, err);
        has_success = has_success || !write->code;
    }
    if (code) {
        return code;
    }
    if (!has_success) {
        /* Committing would flush, for nothing. */
        sqlite_connection_roll_back(writer->connection);
        return OK;
    }
    return sqlite_connection_run(writer->connection, "commit", err);
}

/*
 * A failed commit fails all of the batch, also the works that had failed on their own: what they
 * refused may have been refused for the sake of another one that is gone now.
 */
static void commit_batch(struct sqlite_writer *writer, struct write *batch)
{
    struct error err = {0};
    const enum error_code code = run_batch(writer, batch, &err);

    if (!code) {
        return;
    }
    if (sqlite_connection_has_lost_writes(writer->connection)) {
        writer->has_lost_writes = true;
    }
    sqlite_connection_roll_back(writer->connection);
    for (struct write *write = batch; write; write = write->next) {
        write->code = code;
        if (write->err) {
            *write->err = err;
        }
    }
}

/* What could not be moved stays in the log for the next time. What could not be flushed is lost. */
static void checkpoint(struct sqlite_writer *writer)
{
    if (sqlite_connection_checkpoint(writer->connection, NULL) &&
        sqlite_connection_has_lost_writes(writer->connection)) {
        writer->has_lost_writes = true;
    }
}

/* Called, and left, with the queue locked. What it takes may be others' writes only. */
static void lead(struct sqlite_writer *writer)
{
    struct write *batch = writer_take_batch(writer);

    writer->is_led = true;
    (void)pthread_mutex_unlock(&writer->queue_mutex);
    commit_batch(writer, batch);
    (void)pthread_mutex_lock(&writer->queue_mutex);
    for (struct write *write = batch; write; write = write->next) {
        write->is_done = true;
        (void)pthread_cond_signal(&write->has_news);
    }
    /* From here on the batch belongs to its callers again: they need not wait for a checkpoint. */
    (void)pthread_mutex_unlock(&writer->queue_mutex);
    checkpoint(writer);
    (void)pthread_mutex_lock(&writer->queue_mutex);
    writer->is_led = false;
    if (writer->first) {
        (void)pthread_cond_signal(&writer->first->has_news);
    }
}

enum error_code sqlite_writer_run(struct sqlite_writer *writer, enum sql_durability durability,
                                  sql_work *work, void *context, struct error *err)
{
    struct write write = {.durability = durability, .work = work, .context = context, .err = err};

    (void)pthread_cond_init(&write.has_news, NULL);
    (void)pthread_mutex_lock(&writer->queue_mutex);
    enqueue(writer, &write);
    while (!write.is_done) {
        if (writer->is_led) {
            (void)pthread_cond_wait(&write.has_news, &writer->queue_mutex);
        } else {
            lead(writer);
        }
    }
    (void)pthread_mutex_unlock(&writer->queue_mutex);
    (void)pthread_cond_destroy(&write.has_news);
    return write.code;
}

size_t sqlite_writer_count_waiting(struct sqlite_writer *writer)
{
    size_t count = 0;

    (void)pthread_mutex_lock(&writer->queue_mutex);
    for (const struct write *write = writer->first; write; write = write->next) {
        count++;
    }
    (void)pthread_mutex_unlock(&writer->queue_mutex);
    return count;
}
