#include "metadata/sql_postgresql_statement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "metadata/sql_postgresql_wait.h"
#include "tests/unit/metadata/postgresql_world.h"

/* How many the server keeps for the connection. */
static char count_prepared(struct postgresql_connection *connection)
{
    PGresult *result = NULL;
    char count = '?';

    assert_int_equal(
        postgresql_send_text(connection,
                             "select cast(count(*) as text) from pg_prepared_statements", NULL),
        OK);
    assert_int_equal(postgresql_await(connection, &result, NULL), OK);
    count = PQgetvalue(result, 0, 0)[0];
    PQclear(result);
    return count;
}

static char prepared_after_two(struct postgresql_world *world, bool prepares)
{
    struct sql_query query = {.text = "select $1", .values = {{0}}, .count = 1};
    struct postgresql_connection *connection = NULL;
    char count = '?';

    world->config.prepared_statements = prepares;
    connection = postgresql_world_connect(world);
    for (int i = 0; i < 2; i++) {
        query.values[0] = sql_text(str_from("x"));
        assert_int_equal(postgresql_send(connection, &query, NULL), OK);
    }
    query.values[0] = sql_null();
    assert_int_equal(postgresql_send(connection, &query, NULL), OK);
    count = count_prepared(connection);
    postgresql_connection_close(connection);
    return count;
}

static void statements_are_prepared_once_for_each_kind_of_values(void **state)
{
    assert_int_equal(prepared_after_two(*state, true), '2');
}

static void nothing_is_prepared_where_that_is_off(void **state)
{
    assert_int_equal(prepared_after_two(*state, false), '0');
}

static void a_name_that_is_not_known_any_more_is_forgotten(void **state)
{
    struct postgresql_world *world = *state;
    struct postgresql_connection *connection = postgresql_world_connect(world);
    const struct sql_query query = postgresql_world_query("select 1");
    PGresult *result = NULL;

    assert_int_equal(postgresql_send(connection, &query, NULL), OK);
    assert_int_equal(postgresql_send_text(connection, "deallocate all", NULL), OK);
    assert_int_equal(postgresql_send(connection, &query, NULL), OK);
    assert_int_equal(postgresql_await(connection, &result, NULL), ERROR_UNAVAILABLE);
    assert_int_equal(connection->failure, POSTGRESQL_FORGETS);
    postgresql_connection_close(connection);
}

/* A failure has the server skip what comes behind it, also preparing. */
static void what_was_skipped_is_prepared_again(void **state)
{
    struct postgresql_world *world = *state;
    struct postgresql_connection *connection = postgresql_world_connect(world);
    const struct sql_query query = postgresql_world_query("select 1");
    PGresult *result = NULL;

    assert_int_equal(postgresql_send_text(connection, "select 1 / 0", NULL), OK);
    assert_int_equal(postgresql_connection_query(connection, &query, &result, NULL),
                     ERROR_INTERNAL);
    postgresql_connection_end(connection);
    for (int i = 0; i < 2; i++) {
        postgresql_connection_begin(connection, "begin", NULL);
        assert_int_equal(postgresql_connection_query(connection, &query, &result, NULL), OK);
        PQclear(result);
        postgresql_connection_end(connection);
    }
    postgresql_connection_close(connection);
}

#define TEST(name) cmocka_unit_test_setup(name, postgresql_world_set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(statements_are_prepared_once_for_each_kind_of_values),
        TEST(nothing_is_prepared_where_that_is_off),
        TEST(a_name_that_is_not_known_any_more_is_forgotten),
        TEST(what_was_skipped_is_prepared_again),
    };

    return cmocka_run_group_tests(tests, postgresql_world_start, postgresql_world_end);
}
