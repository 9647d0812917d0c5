#include "metadata/sql_sqlite_writer.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "metadata/sql_sqlite.h"
#include "tests/support/temporary_folder.h"

enum {
    PATH_BYTES = 4096,
    WRITES = 2 * WRITES_PER_COMMIT,
    BULK_BYTES = 1 << 20,
    LOG_BYTES_MAX = 16 << 20,
    BULK_WRITES = 64, /* four times that */
};

struct fixture {
    char *folder;
    char path[PATH_BYTES];
    struct sql *sql; /* reads, and lends the writer its driver */
    struct sqlite_writer *writer;
};

/* SQLite's flushes come here instead of to the C library. */
static struct {
    atomic_int count;
    atomic_int failing; /* the how manieth from now on fails; 0: none */
    int64_t *seen;      /* set: how many things readers see meanwhile */
    struct sql *sql;
} flushes;

static int64_t count_things(struct sql *sql);

static int flush(int fd)
{
    (void)atomic_fetch_add(&flushes.count, 1);
    if (flushes.seen) {
        *flushes.seen = count_things(flushes.sql);
    }
    if (atomic_load(&flushes.failing) > 0 && atomic_fetch_sub(&flushes.failing, 1) == 1) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    return flush(fd);
}

// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the C library says fildes
int fdatasync(int fd)
{
    return flush(fd);
}

static void reset_flushes(int failing)
{
    atomic_store(&flushes.count, 0);
    atomic_store(&flushes.failing, failing);
    flushes.seen = NULL;
}

static enum error_code create(struct sql_connection *connection, void *context, struct error *err)
{
    (void)context;
    return sql_script(connection, "create table thing (id integer primary key, data blob)", err);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    reset_flushes(0);
    fixture->folder = temporary_folder_new();
    (void)snprintf(fixture->path, PATH_BYTES, "%s/test.sqlite", fixture->folder);
    assert_int_equal(sql_sqlite_open(fixture->path, &fixture->sql, NULL), OK);
    assert_int_equal(sqlite_writer_new(fixture->sql, fixture->path, &fixture->writer, NULL), OK);
    /* SQLite flushes the folder of the log too, once: not in the tests, which count. */
    assert_int_equal(sqlite_writer_run(fixture->writer, SQL_DURABLE, create, NULL, NULL), OK);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    reset_flushes(0);
    sqlite_writer_free(fixture->writer);
    sql_free(fixture->sql);
    temporary_folder_free(fixture->folder);
    free(fixture);
    return 0;
}

static enum error_code count(struct sql_connection *connection, void *context, struct error *err)
{
    static const struct sql_query query = {.text = "select count(*) from thing"};
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    enum error_code code = sql_query(connection, &query, &rows, err);
    bool is_row = false;

    code = code ? code : sql_rows_next(rows, &is_row, err);
    if (!code) {
        *(int64_t *)context = sql_rows_column(rows, 0).integer;
    }
    return code;
}

static int64_t count_things(struct sql *sql)
{
    int64_t number = -1;

    assert_int_equal(sql_read(sql, count, &number, NULL), OK);
    return number;
}

/* What a work is to do, and how it went. */
struct thing {
    struct sqlite_writer *writer;
    enum sql_durability durability;
    int64_t id;
    struct str data;
    enum error_code refusal; /* what the work says behind its insert */
    atomic_bool *is_running; /* set: tells, and waits for the other */
    atomic_bool *may_end;
    enum error_code code;
    struct error err;
};

static enum error_code insert(struct sql_connection *connection, void *context, struct error *err)
{
    const struct thing *thing = context;
    const struct sql_query query = {
        .text = "insert into thing (id, data) values ($1, $2)",
        .values = {sql_integer(thing->id), sql_bytes(thing->data)},
        .count = 2,
    };
    const enum error_code code = sql_run(connection, &query, err);

    if (thing->is_running) {
        atomic_store(thing->is_running, true);
        while (!atomic_load(thing->may_end)) {
            (void)sched_yield();
        }
    }
    if (!code && thing->refusal) {
        return error_set(err, thing->refusal, "changed my mind");
    }
    return code;
}

static enum error_code write_thing(struct thing *thing)
{
    thing->code = sqlite_writer_run(thing->writer, thing->durability, insert, thing, &thing->err);
    return thing->code;
}

static void *run(void *argument)
{
    (void)write_thing(argument);
    return NULL;
}

/* Lets `count` writes wait in order behind a first one, then lets all go. */
static void write_together(struct fixture *fixture, struct thing *things, size_t count)
{
    atomic_bool is_running = false;
    atomic_bool may_end = false;
    struct thing first = {
        .writer = fixture->writer, .is_running = &is_running, .may_end = &may_end};
    pthread_t threads[WRITES + 1];

    assert_true(count <= WRITES);
    assert_int_equal(pthread_create(&threads[count], NULL, run, &first), 0);
    while (!atomic_load(&is_running)) {
        (void)sched_yield();
    }
    for (size_t i = 0; i < count; i++) {
        things[i].writer = fixture->writer;
        things[i].id = (int64_t)i + 1;
        assert_int_equal(pthread_create(&threads[i], NULL, run, &things[i]), 0);
        while (sqlite_writer_count_waiting(fixture->writer) <= i) {
            (void)sched_yield();
        }
    }
    atomic_store(&may_end, true);
    for (size_t i = 0; i <= count; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(first.code, OK);
}

static void waiting_writes_share_a_flush(void **state)
{
    struct fixture *fixture = *state;
    struct thing things[WRITES] = {0};

    reset_flushes(0);
    write_together(fixture, things, WRITES_PER_COMMIT);
    for (size_t i = 0; i < WRITES_PER_COMMIT; i++) {
        assert_int_equal(things[i].code, OK);
    }
    assert_int_equal(atomic_load(&flushes.count), 2);
    assert_int_equal(count_things(fixture->sql), WRITES_PER_COMMIT + 1);
}

static void number_of_writes_in_a_commit_is_bounded(void **state)
{
    struct fixture *fixture = *state;
    struct thing things[WRITES] = {0};

    reset_flushes(0);
    write_together(fixture, things, WRITES_PER_COMMIT + 1);
    assert_int_equal(atomic_load(&flushes.count), 3);
    assert_int_equal(count_things(fixture->sql), WRITES_PER_COMMIT + 2);
}

static void one_durable_write_makes_all_of_its_commit_durable(void **state)
{
    struct fixture *fixture = *state;
    struct thing things[3] = {
        {.durability = SQL_RELAXED}, {.durability = SQL_DURABLE}, {.durability = SQL_RELAXED}};

    reset_flushes(0);
    write_together(fixture, things, 3);
    assert_int_equal(atomic_load(&flushes.count), 2);
}

static void work_that_fails_undoes_only_itself(void **state)
{
    struct fixture *fixture = *state;
    struct thing things[5] = {
        {.refusal = ERROR_CONFLICT}, {0}, {.refusal = ERROR_INVALID}, {0}, {0}};

    write_together(fixture, things, 5);
    assert_int_equal(things[0].code, ERROR_CONFLICT);
    assert_string_equal(things[0].err.message, "changed my mind");
    assert_int_equal(things[1].code, OK);
    assert_int_equal(things[2].code, ERROR_INVALID);
    assert_int_equal(count_things(fixture->sql), 4);
}

static void refused_write_flushes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct thing thing = {.writer = fixture->writer, .id = 1, .refusal = ERROR_CONFLICT};

    reset_flushes(0);
    assert_int_equal(write_thing(&thing), ERROR_CONFLICT);
    assert_int_equal(atomic_load(&flushes.count), 0);
    assert_int_equal(count_things(fixture->sql), 0);
}

static void only_durable_writes_are_flushed(void **state)
{
    struct fixture *fixture = *state;
    struct thing relaxed = {.writer = fixture->writer, .id = 1, .durability = SQL_RELAXED};
    struct thing durable = {.writer = fixture->writer, .id = 2, .durability = SQL_DURABLE};

    reset_flushes(0);
    assert_int_equal(write_thing(&relaxed), OK);
    assert_int_equal(atomic_load(&flushes.count), 0);
    assert_int_equal(write_thing(&durable), OK);
    assert_int_equal(atomic_load(&flushes.count), 1);
}

/* So what a transaction finds needs no flush of its own to be relied on. */
static void commit_is_seen_only_once_it_is_flushed(void **state)
{
    struct fixture *fixture = *state;
    struct thing thing = {.writer = fixture->writer, .id = 1};
    int64_t seen = -1;

    reset_flushes(0);
    flushes.sql = fixture->sql;
    flushes.seen = &seen;
    assert_int_equal(write_thing(&thing), OK);
    assert_int_equal(seen, 0);
    assert_int_equal(count_things(fixture->sql), 1);
}

/* Also what refused on its own: it may have seen what is gone now. */
static void failed_flush_fails_all_of_its_commit(void **state)
{
    struct fixture *fixture = *state;
    struct thing things[3] = {{0}, {.refusal = ERROR_CONFLICT}, {0}};

    reset_flushes(2);
    write_together(fixture, things, 3);
    for (size_t i = 0; i < ARRAY_LEN(things); i++) {
        assert_int_equal(things[i].code, ERROR_INTERNAL);
        assert_string_equal(things[i].err.message, things[0].err.message);
    }
    assert_int_equal(count_things(fixture->sql), 1);
}

static void flush_is_never_tried_again(void **state)
{
    struct fixture *fixture = *state;
    struct thing thing = {.writer = fixture->writer, .id = 1};

    reset_flushes(1);
    assert_int_equal(write_thing(&thing), ERROR_INTERNAL);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(write_thing(&thing), ERROR_UNAVAILABLE);
    }
    assert_int_equal(atomic_load(&flushes.count), 1);
    assert_int_equal(count_things(fixture->sql), 0);
}

/* Its write was relaxed and is done; what comes next must not be said to be durable. */
static void checkpoint_that_cannot_flush_ends_writing(void **state)
{
    struct fixture *fixture = *state;
    struct thing thing = {.writer = fixture->writer, .durability = SQL_RELAXED};
    char *bulk = calloc(1, BULK_BYTES);

    thing.data = (struct str){bulk, BULK_BYTES};
    reset_flushes(1);
    while (atomic_load(&flushes.count) == 0 && thing.id < BULK_WRITES) {
        thing.id++;
        assert_int_equal(write_thing(&thing), OK);
    }
    assert_int_equal(atomic_load(&flushes.count), 1);
    thing = (struct thing){.writer = fixture->writer, .id = BULK_WRITES + 1};
    assert_int_equal(write_thing(&thing), ERROR_UNAVAILABLE);
    free(bulk);
}

static void log_stays_short(void **state)
{
    struct fixture *fixture = *state;
    struct thing thing = {.writer = fixture->writer, .durability = SQL_RELAXED};
    char *bulk = calloc(1, BULK_BYTES);
    char path[PATH_BYTES + 8];
    struct stat status;

    thing.data = (struct str){bulk, BULK_BYTES};
    for (thing.id = 1; thing.id <= BULK_WRITES; thing.id++) {
        assert_int_equal(write_thing(&thing), OK);
    }
    (void)snprintf(path, sizeof(path), "%s-wal", fixture->path);
    assert_int_equal(stat(path, &status), 0);
    assert_true(status.st_size < LOG_BYTES_MAX);
    assert_int_equal(count_things(fixture->sql), BULK_WRITES);
    free(bulk);
}

static enum error_code limit_pages(struct sql_connection *connection, void *context,
                                   struct error *err)
{
    return sql_script(connection, context, err);
}

/* SQLite ends the transaction on its own; those who come next have one of theirs again. */
static void full_database_takes_writes_again_once_there_is_room(void **state)
{
    static char narrow[] = "pragma max_page_count = 20";
    static char wide[] = "pragma max_page_count = 100000";
    struct fixture *fixture = *state;
    struct thing large = {.writer = fixture->writer, .id = 1};
    struct thing small = {.writer = fixture->writer, .id = 2};
    char *bulk = calloc(1, BULK_BYTES);

    large.data = (struct str){bulk, BULK_BYTES};
    assert_int_equal(sqlite_writer_run(fixture->writer, SQL_DURABLE, limit_pages, narrow, NULL),
                     OK);
    assert_int_equal(write_thing(&large), ERROR_NO_SPACE);
    assert_int_equal(write_thing(&small), OK);
    assert_int_equal(sqlite_writer_run(fixture->writer, SQL_DURABLE, limit_pages, wide, NULL), OK);
    assert_int_equal(write_thing(&large), OK);
    assert_int_equal(count_things(fixture->sql), 2);
    free(bulk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(waiting_writes_share_a_flush, set_up, tear_down),
        cmocka_unit_test_setup_teardown(number_of_writes_in_a_commit_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_durable_write_makes_all_of_its_commit_durable, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(work_that_fails_undoes_only_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused_write_flushes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_durable_writes_are_flushed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(commit_is_seen_only_once_it_is_flushed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failed_flush_fails_all_of_its_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flush_is_never_tried_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(checkpoint_that_cannot_flush_ends_writing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(log_stays_short, set_up, tear_down),
        cmocka_unit_test_setup_teardown(full_database_takes_writes_again_once_there_is_room, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
