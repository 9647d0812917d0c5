#include "metadata/migrate.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "metadata/sql_sqlite.h"
#include "tests/support/temporary_folder.h"

enum { PATH_BYTES = 4096, STARTERS = 6 };

struct fixture {
    char *folder;
    char path[PATH_BYTES];
    struct sql *sql;
};

static const struct migration steps[] = {
    {"first", "create table a (x integer)", 0},
    {"second", "create table b (x integer); insert into b (x) values (1)", 0},
    {"broken", "create table c (x integer); insert into none values (1)", 0},
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

static enum error_code count_tables(struct sql_connection *connection, void *context,
                                    struct error *err)
{
    static const struct sql_query query = {
        .text = "select count(*) from sqlite_master where name in ('a', 'b', 'c')"};
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    bool is_row = false;

    assert_int_equal(sql_query(connection, &query, &rows, err), OK);
    assert_int_equal(sql_rows_next(rows, &is_row, err), OK);
    *(int64_t *)context = sql_rows_column(rows, 0).integer;
    return OK;
}

static void assert_tables(const struct fixture *fixture, int64_t wanted)
{
    int64_t number = -1;

    assert_int_equal(sql_read(fixture->sql, count_tables, &number, NULL), OK);
    assert_int_equal(number, wanted);
}

static void steps_run_once_and_in_order(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(migrate(fixture->sql, steps, 1, NULL), OK);
    assert_tables(fixture, 1);
    assert_int_equal(migrate(fixture->sql, steps, 2, NULL), OK);
    assert_tables(fixture, 2);
    assert_int_equal(migrate(fixture->sql, steps, 2, NULL), OK);
}

static void a_step_that_fails_leaves_the_version_before(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(migrate(fixture->sql, steps, 3, NULL), ERROR_INTERNAL);
    assert_tables(fixture, 2);
    assert_int_equal(migrate(fixture->sql, steps, 2, NULL), OK);
}

static void a_newer_database_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    assert_int_equal(migrate(fixture->sql, steps, 2, NULL), OK);
    assert_int_equal(migrate(fixture->sql, steps, 1, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "newer"));
}

/* So that the programs of a registry can be replaced one by one. */
static void a_newer_database_that_says_so_is_used(void **state)
{
    static const struct migration newer[] = {
        {"first", "create table a (x integer)", 0},
        {"second", "create table b (x integer)", 1},
        {"third", "create table c (x integer)", 2},
    };
    struct fixture *fixture = *state;

    assert_int_equal(migrate(fixture->sql, newer, 2, NULL), OK);
    assert_int_equal(migrate(fixture->sql, newer, 1, NULL), OK);
    assert_int_equal(migrate_check(fixture->sql, newer, 1, NULL), OK);
    assert_int_equal(migrate(fixture->sql, newer, 3, NULL), OK);
    assert_int_equal(migrate(fixture->sql, newer, 2, NULL), OK);
    assert_int_equal(migrate(fixture->sql, newer, 1, NULL), ERROR_INVALID);
    assert_int_equal(migrate_check(fixture->sql, newer, 1, NULL), ERROR_INVALID);
    assert_tables(fixture, 3);
}

static enum error_code mark_as_being_filled(struct sql_connection *connection, void *context,
                                            struct error *err)
{
    (void)context;
    return sql_script(connection,
                      "insert into schema_version (version, name) "
                      "values (1000000000, 'team/app of 1')",
                      err);
}

/* Only for whoever fills it, as if it were not marked. */
static void a_database_that_is_being_filled_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    assert_int_equal(migrate_to_fill(fixture->sql, steps, 1, NULL), OK);
    assert_int_equal(sql_write(fixture->sql, SQL_DURABLE, mark_as_being_filled, NULL, NULL), OK);
    assert_int_equal(migrate(fixture->sql, steps, 1, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "not all of it has come"));
    assert_int_equal(migrate_check(fixture->sql, steps, 1, NULL), ERROR_INVALID);
    assert_int_equal(migrate_to_fill(fixture->sql, steps, 2, NULL), OK);
    assert_tables(fixture, 2);
    assert_int_equal(migrate_to_fill(fixture->sql, steps, 1, NULL), ERROR_INVALID);
}

static void a_refused_database_is_left_as_it_was(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(migrate(fixture->sql, steps, 2, NULL), OK);
    assert_int_equal(migrate(fixture->sql, steps, 1, NULL), ERROR_INVALID);
    assert_int_equal(migrate(fixture->sql, steps, 0, NULL), ERROR_INVALID);
    assert_tables(fixture, 2);
    assert_int_equal(migrate(fixture->sql, steps, 2, NULL), OK);
}

/* A program that starts while others do. */
struct starter {
    struct sql *sql;
    pthread_t thread;
    enum error_code code;
};

static void *start(void *argument)
{
    struct starter *starter = argument;

    starter->code = migrate(starter->sql, steps, 2, NULL);
    return NULL;
}

static void of_many_who_start_at_once_one_takes_each_step(void **state)
{
    struct fixture *fixture = *state;
    struct starter starters[STARTERS];

    for (int i = 0; i < STARTERS; i++) {
        starters[i] = (struct starter){.code = ERROR_INTERNAL};
        assert_int_equal(sql_sqlite_open(fixture->path, &starters[i].sql, NULL), OK);
    }
    for (int i = 0; i < STARTERS; i++) {
        assert_int_equal(pthread_create(&starters[i].thread, NULL, start, &starters[i]), 0);
    }
    for (int i = 0; i < STARTERS; i++) {
        assert_int_equal(pthread_join(starters[i].thread, NULL), 0);
        assert_int_equal(starters[i].code, OK);
        sql_free(starters[i].sql);
    }
    assert_tables(fixture, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(steps_run_once_and_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_step_that_fails_leaves_the_version_before, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_newer_database_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_newer_database_that_says_so_is_used, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_database_that_is_being_filled_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_refused_database_is_left_as_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_many_who_start_at_once_one_takes_each_step, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
