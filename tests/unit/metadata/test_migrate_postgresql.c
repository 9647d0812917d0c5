#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "metadata/migrate.h"
#include "metadata/sql_postgresql.h"
#include "tests/unit/metadata/postgresql_world.h"

/* migrate.h on PostgreSQL: what differs is who else may be at it. */
enum { STARTERS = 8 };

static const struct migration steps[] = {
    {"first", "create table a (x bigint); insert into a values (1)", 0},
    {"second", "insert into a values (2); create table b (x bigint)", 0},
    {"cut", "create table c (x bigint); select pg_terminate_backend(pg_backend_pid())", 0},
};

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
    struct postgresql_world *world = *state;
    struct starter starters[STARTERS];

    for (int i = 0; i < STARTERS; i++) {
        starters[i] = (struct starter){.code = ERROR_INTERNAL};
        assert_int_equal(sql_postgresql_open(&world->config, &starters[i].sql, NULL), OK);
    }
    for (int i = 0; i < STARTERS; i++) {
        assert_int_equal(pthread_create(&starters[i].thread, NULL, start, &starters[i]), 0);
    }
    for (int i = 0; i < STARTERS; i++) {
        assert_int_equal(pthread_join(starters[i].thread, NULL), 0);
        assert_int_equal(starters[i].code, OK);
        sql_free(starters[i].sql);
    }
    assert_string_equal(postgresql_server_ask(world->server, "select sum(x) from a"), "3");
}

static void what_is_interrupted_leaves_the_version_before(void **state)
{
    struct postgresql_world *world = *state;
    struct sql *sql = NULL;

    world->config.retry_ms = 1;
    assert_int_equal(sql_postgresql_open(&world->config, &sql, NULL), OK);
    world->config.retry_ms = 30000;
    while (migrate(sql, steps, 2, NULL) == ERROR_UNAVAILABLE) {
    }
    assert_int_equal(migrate(sql, steps, 3, NULL), ERROR_UNAVAILABLE);
    assert_string_equal(
        postgresql_server_ask(world->server, "select max(version) from schema_version"), "2");
    assert_string_equal(
        postgresql_server_ask(world->server, "select count(*) from pg_class where relname = 'c'"),
        "0");
    while (migrate(sql, steps, 2, NULL) == ERROR_UNAVAILABLE) {
    }
    sql_free(sql);
}

static void a_newer_database_is_refused(void **state)
{
    struct postgresql_world *world = *state;
    struct error err = {0};
    struct sql *sql = NULL;

    assert_int_equal(sql_postgresql_open(&world->config, &sql, NULL), OK);
    assert_int_equal(migrate(sql, steps, 2, NULL), OK);
    assert_int_equal(migrate(sql, steps, 1, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "newer"));
    sql_free(sql);
}

#define TEST(name) cmocka_unit_test_setup(name, postgresql_world_set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(of_many_who_start_at_once_one_takes_each_step),
        TEST(what_is_interrupted_leaves_the_version_before),
        TEST(a_newer_database_is_refused),
    };

    return cmocka_run_group_tests(tests, postgresql_world_start, postgresql_world_end);
}
