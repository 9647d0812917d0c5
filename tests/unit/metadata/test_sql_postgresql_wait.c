#include "metadata/sql_postgresql_wait.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "metadata/sql_postgresql_statement.h"
#include "tests/unit/metadata/postgresql_world.h"

enum { LARGE_BYTES = 1 << 20, LARGE_COUNT = 24 };

static void a_server_that_takes_too_long_is_given_up(void **state)
{
    struct postgresql_world *world = *state;
    const struct sql_query query = postgresql_world_query("select pg_sleep(600)");
    struct postgresql_connection *connection = NULL;
    PGresult *result = NULL;
    struct error err = {0};

    world->config.timeout_ms = 50;
    connection = postgresql_world_connect(world);
    assert_int_equal(postgresql_send(connection, &query, NULL), OK);
    assert_int_equal(postgresql_await(connection, &result, &err), ERROR_UNAVAILABLE);
    assert_non_null(strstr(err.message, "in time"));
    assert_int_equal(connection->failure, POSTGRESQL_IS_LOST);
    postgresql_connection_close(connection);
}

static void much_in_both_directions_does_not_stall(void **state)
{
    struct sql_query query = {.text = "select $1", .count = 1};
    struct postgresql_connection *connection = postgresql_world_connect(*state);
    char *bytes = malloc(LARGE_BYTES);
    PGresult *result = NULL;

    memset(bytes, 'x', LARGE_BYTES);
    query.values[0] = sql_text((struct str){bytes, LARGE_BYTES});
    for (int i = 0; i < LARGE_COUNT; i++) {
        assert_int_equal(postgresql_send(connection, &query, NULL), OK);
    }
    assert_int_equal(postgresql_await(connection, &result, NULL), OK);
    assert_int_equal(PQgetlength(result, 0, 0), LARGE_BYTES);
    PQclear(result);
    free(bytes);
    postgresql_connection_close(connection);
}

static void the_first_failure_is_that_of_all_that_follow(void **state)
{
    struct postgresql_connection *connection = postgresql_world_connect(*state);
    const struct sql_query bad = postgresql_world_query("select 1 / 0");
    const struct sql_query good = postgresql_world_query("select 1");
    PGresult *result = NULL;
    struct error err = {0};

    assert_int_equal(postgresql_connection_query(connection, &bad, &result, NULL), ERROR_INTERNAL);
    assert_int_equal(postgresql_connection_query(connection, &good, &result, &err), ERROR_INTERNAL);
    assert_non_null(strstr(err.message, "division by zero"));
    postgresql_connection_end(connection);
    postgresql_connection_close(connection);
}

static void a_server_that_takes_no_writes_any_more_is_not_believed(void **state)
{
    struct postgresql_world *world = *state;
    struct postgresql_connection *connection = postgresql_world_connect(world);
    const struct sql_query query = postgresql_world_query("select 1");
    enum error_code code = OK;

    (void)postgresql_server_ask(world->server,
                                "alter system set default_transaction_read_only = on");
    (void)postgresql_server_ask(world->server, "select pg_reload_conf()");
    while (!code) { /* the server hears of it in its own time */
        PGresult *result = NULL;

        code = postgresql_connection_query(connection, &query, &result, NULL);
        PQclear(result);
        postgresql_connection_end(connection);
        if (!code) {
            postgresql_connection_begin(connection, "begin", NULL);
        }
    }
    assert_int_equal(code, ERROR_UNAVAILABLE);
    assert_int_equal(connection->failure, POSTGRESQL_IS_LOST);
    postgresql_connection_close(connection);
    (void)postgresql_server_ask(world->server, "alter system reset default_transaction_read_only");
    (void)postgresql_server_ask(world->server, "select pg_reload_conf()");
}

#define TEST(name) cmocka_unit_test_setup(name, postgresql_world_set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_server_that_takes_too_long_is_given_up),
        TEST(much_in_both_directions_does_not_stall),
        TEST(the_first_failure_is_that_of_all_that_follow),
        TEST(a_server_that_takes_no_writes_any_more_is_not_believed),
    };

    return cmocka_run_group_tests(tests, postgresql_world_start, postgresql_world_end);
}
