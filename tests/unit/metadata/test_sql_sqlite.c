/* Also covers sql.c: a driver is used through it. */
#include "metadata/sql_sqlite.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/temporary_folder.h"

enum { PATH_BYTES = 4096, WRITERS = 8, WRITES = 25 };

struct fixture {
    char *folder;
    char path[PATH_BYTES];
    struct sql *sql;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    fixture->folder = temporary_folder_new();
    (void)snprintf(fixture->path, PATH_BYTES, "%s/test.sqlite", fixture->folder);
    assert_int_equal(sql_sqlite_open(fixture->path, &fixture->sql, NULL), OK);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    sql_free(fixture->sql);
    temporary_folder_free(fixture->folder);
    free(fixture);
    return 0;
}

static enum error_code create(struct sql_connection *connection, void *context, struct error *err)
{
    (void)context;
    return sql_script(connection,
                      "create table thing (id integer primary key, name text, data blob)", err);
}

static enum error_code insert(struct sql_connection *connection, void *context, struct error *err)
{
    const struct sql_query query = {
        .text = "insert into thing (id, data, name) values ($2, $3, $1) "
                "on conflict (id) do nothing",
        .values = {sql_text(str_from("name")), sql_integer(*(const int64_t *)context),
                   sql_bytes((struct str){"\0\1", 2})},
        .count = 3,
    };

    return sql_run(connection, &query, err);
}

static enum error_code insert_and_fail(struct sql_connection *connection, void *context,
                                       struct error *err)
{
    const enum error_code code = insert(connection, context, err);

    return code ? code : error_set(err, ERROR_CONFLICT, "changed my mind");
}

static enum error_code count(struct sql_connection *connection, void *context, struct error *err)
{
    static const struct sql_query query = {.text = "select count(*) from thing"};
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    enum error_code code = sql_query(connection, &query, &rows, err);
    bool is_row = false;

    if (!code) {
        code = sql_rows_next(rows, &is_row, err);
    }
    if (!code) {
        *(int64_t *)context = sql_rows_column(rows, 0).integer;
    }
    return code;
}

static int64_t count_things(struct fixture *fixture)
{
    int64_t number = -1;

    assert_int_equal(sql_read(fixture->sql, count, &number, NULL), OK);
    return number;
}

static void write_thing(struct fixture *fixture, int64_t id, enum sql_durability durability)
{
    assert_int_equal(sql_write(fixture->sql, durability, insert, &id, NULL), OK);
}

static void what_was_written_is_read(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(sql_write(fixture->sql, SQL_DURABLE, create, NULL, NULL), OK);
    write_thing(fixture, 1, SQL_DURABLE);
    write_thing(fixture, 2, SQL_RELAXED);
    write_thing(fixture, 3, SQL_DURABLE);
    assert_int_equal(count_things(fixture), 3);
}

static enum error_code read_values(struct sql_connection *connection, void *context,
                                   struct error *err)
{
    static const struct sql_query query = {.text = "select id, name, data, null from thing"};
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    bool is_row = false;

    (void)context;
    assert_int_equal(sql_query(connection, &query, &rows, err), OK);
    assert_int_equal(sql_rows_next(rows, &is_row, err), OK);
    assert_true(is_row);
    assert_int_equal(sql_rows_column(rows, 0).integer, 7);
    assert_true(str_is(sql_rows_column(rows, 1).bytes, "name"));
    assert_int_equal(sql_rows_column(rows, 2).type, SQL_BYTES);
    assert_memory_equal(sql_rows_column(rows, 2).bytes.bytes, "\0\1", 2);
    assert_int_equal(sql_rows_column(rows, 3).type, SQL_NULL);
    assert_int_equal(sql_rows_next(rows, &is_row, err), OK);
    assert_false(is_row);
    return OK;
}

static void placeholders_are_bound_by_their_number(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(sql_write(fixture->sql, SQL_DURABLE, create, NULL, NULL), OK);
    write_thing(fixture, 7, SQL_DURABLE);
    assert_int_equal(sql_read(fixture->sql, read_values, NULL, NULL), OK);
}

static void work_that_fails_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    int64_t id = 1;

    assert_int_equal(sql_write(fixture->sql, SQL_DURABLE, create, NULL, NULL), OK);
    assert_int_equal(sql_write(fixture->sql, SQL_DURABLE, insert_and_fail, &id, &err),
                     ERROR_CONFLICT);
    assert_string_equal(err.message, "changed my mind");
    assert_int_equal(count_things(fixture), 0);
    write_thing(fixture, 1, SQL_DURABLE);
    assert_int_equal(count_things(fixture), 1);
}

static void readers_cannot_write(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    int64_t id = 1;

    assert_int_equal(sql_write(fixture->sql, SQL_DURABLE, create, NULL, NULL), OK);
    assert_int_equal(sql_read(fixture->sql, insert, &id, &err), ERROR_INTERNAL);
    assert_non_null(strstr(err.message, fixture->path));
    assert_int_equal(count_things(fixture), 0);
}

struct writer {
    struct fixture *fixture;
    int64_t first;
};

static void *write_many(void *argument)
{
    struct writer *writer = argument;

    for (int64_t i = 0; i < WRITES; i++) {
        int64_t id = writer->first + i;
        int64_t number = 0;

        if (sql_write(writer->fixture->sql, i % 2 ? SQL_DURABLE : SQL_RELAXED, insert, &id, NULL) ||
            sql_read(writer->fixture->sql, count, &number, NULL)) {
            return writer; /* failed */
        }
    }
    return NULL;
}

static void many_threads_write_and_read(void **state)
{
    struct fixture *fixture = *state;
    struct writer writers[WRITERS];
    pthread_t threads[WRITERS];

    assert_int_equal(sql_write(fixture->sql, SQL_DURABLE, create, NULL, NULL), OK);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){fixture, i * WRITES};
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, &writers[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        void *failed = NULL;

        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_int_equal(count_things(fixture), WRITERS * WRITES);
}

static void nobody_else_may_read_the_file(void **state)
{
    static const char *const companions[] = {"-wal", "-shm"};
    struct fixture *fixture = *state;
    struct stat status;

    assert_int_equal(stat(fixture->path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(sql_write(fixture->sql, SQL_DURABLE, create, NULL, NULL), OK);
    for (size_t i = 0; i < ARRAY_LEN(companions); i++) {
        char path[PATH_BYTES + 8];

        (void)snprintf(path, sizeof(path), "%s%s", fixture->path, companions[i]);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 07777, 0600);
    }
}

static void what_is_no_database_is_refused_with_its_path(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct sql *sql = NULL;
    char path[PATH_BYTES + 16];
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "%s/text", fixture->folder);
    file = fopen(path, "we");
    for (int i = 0; i < 1000; i++) {
        (void)fputs("no database\n", file);
    }
    (void)fclose(file);
    assert_int_equal(sql_sqlite_open(path, &sql, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, path));
    (void)snprintf(path, sizeof(path), "%s/none/x", fixture->folder);
    assert_int_equal(sql_sqlite_open(path, &sql, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, path));
    assert_null(sql);
}

/* Reads, and while it has its connection lets the next one read, more than there are readers. */
struct nesting {
    struct fixture *fixture;
    pthread_barrier_t *all_read;
    pthread_t thread;
    enum error_code code;
};

static enum error_code wait_for_others(struct sql_connection *connection, void *context,
                                       struct error *err)
{
    struct nesting *nesting = context;
    int64_t number = 0;

    (void)pthread_barrier_wait(nesting->all_read);
    return count(connection, &number, err);
}

static void *read_with_others(void *argument)
{
    struct nesting *nesting = argument;

    nesting->code = sql_read(nesting->fixture->sql, wait_for_others, nesting, NULL);
    return NULL;
}

/* Twice as many as may read at once: the first ones all together, the others after them. */
static void readers_beyond_the_limit_wait_for_their_turn(void **state)
{
    enum { READERS = 2 * SQLITE_READERS };
    struct fixture *fixture = *state;
    struct nesting nestings[READERS];
    pthread_barrier_t all_read;

    assert_int_equal(sql_write(fixture->sql, SQL_DURABLE, create, NULL, NULL), OK);
    assert_int_equal(pthread_barrier_init(&all_read, NULL, SQLITE_READERS), 0);
    for (int i = 0; i < READERS; i++) {
        nestings[i] = (struct nesting){fixture, &all_read, 0, ERROR_INTERNAL};
        assert_int_equal(pthread_create(&nestings[i].thread, NULL, read_with_others, &nestings[i]),
                         0);
    }
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(nestings[i].thread, NULL), 0);
        assert_int_equal(nestings[i].code, OK);
    }
    (void)pthread_barrier_destroy(&all_read);
}

/* A reader sees one state, whatever is written meanwhile. */
static enum error_code count_twice(struct sql_connection *connection, void *context,
                                   struct error *err)
{
    struct fixture *fixture = context;
    int64_t before = -1;
    int64_t after = -1;

    assert_int_equal(count(connection, &before, err), OK);
    write_thing(fixture, 2, SQL_DURABLE);
    assert_int_equal(count(connection, &after, err), OK);
    assert_int_equal(before, 1);
    assert_int_equal(after, 1);
    return OK;
}

static void reader_sees_the_same_from_its_beginning_to_its_end(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(sql_write(fixture->sql, SQL_DURABLE, create, NULL, NULL), OK);
    write_thing(fixture, 1, SQL_DURABLE);
    assert_int_equal(sql_read(fixture->sql, count_twice, fixture, NULL), OK);
    assert_int_equal(count_things(fixture), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_written_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(placeholders_are_bound_by_their_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(work_that_fails_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(readers_cannot_write, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_threads_write_and_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(readers_beyond_the_limit_wait_for_their_turn, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(reader_sees_the_same_from_its_beginning_to_its_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nobody_else_may_read_the_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_database_is_refused_with_its_path, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
