#include "metadata/sql_postgresql_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/metadata/postgresql_world.h"

enum { SHORT_MS = 50, LONG_MS = 60 * 1000 };

static int64_t in_ms(int64_t duration_ms)
{
    return clock_monotonic_ms(&clock_system) + duration_ms;
}

static struct postgresql_connection *lend(struct postgresql_pool *pool)
{
    struct postgresql_connection *connection = NULL;
    struct error err = {0};

    if (postgresql_pool_lend(pool, in_ms(LONG_MS), &connection, &err)) {
        fail_msg("%s", err.message);
    }
    return connection;
}

static void a_connection_is_used_again(void **state)
{
    struct postgresql_world *world = *state;
    struct postgresql_pool *pool =
        postgresql_pool_new(&world->sql, &world->config, &world->counters);
    struct postgresql_connection *first = lend(pool);

    postgresql_pool_give_back(pool, first);
    assert_ptr_equal(lend(pool), first);
    postgresql_pool_give_back(pool, first);
    postgresql_pool_free(pool);
}

static void whoever_finds_none_waits_no_longer_than_he_said(void **state)
{
    struct postgresql_world *world = *state;
    struct postgresql_connection *one = NULL;
    struct postgresql_connection *other = NULL;
    struct postgresql_pool *pool = NULL;
    struct error err = {0};

    world->config.connections = 1;
    pool = postgresql_pool_new(&world->sql, &world->config, &world->counters);
    one = lend(pool);
    assert_int_equal(postgresql_pool_lend(pool, in_ms(SHORT_MS), &other, &err), ERROR_UNAVAILABLE);
    assert_non_null(strstr(err.message, "busy"));
    postgresql_pool_give_back(pool, one);
    postgresql_pool_free(pool);
}

static void a_lost_connection_takes_with_it_those_that_are_as_old(void **state)
{
    struct postgresql_world *world = *state;
    struct postgresql_pool *pool =
        postgresql_pool_new(&world->sql, &world->config, &world->counters);
    struct postgresql_connection *lost = lend(pool);
    struct postgresql_connection *idle = lend(pool);
    struct postgresql_connection *busy = lend(pool);
    struct postgresql_connection *young = NULL;

    postgresql_pool_give_back(pool, idle);
    lost->failure = POSTGRESQL_IS_LOST;
    postgresql_pool_give_back(pool, lost);
    young = lend(pool);
    assert_int_equal(young->generation, busy->generation + 1);
    postgresql_pool_give_back(pool, young);
    postgresql_pool_give_back(pool, busy);
    assert_ptr_equal(lend(pool), young);
    postgresql_pool_give_back(pool, young);
    postgresql_pool_free(pool);
}

static void a_database_that_is_away_is_said_to_be_and_found_again(void **state)
{
    struct postgresql_world *world = *state;
    struct postgresql_pool *pool =
        postgresql_pool_new(&world->sql, &world->config, &world->counters);
    struct postgresql_connection *connection = NULL;
    struct error err = {0};

    postgresql_server_kill(world->server);
    assert_int_equal(postgresql_pool_lend(pool, in_ms(SHORT_MS), &connection, &err),
                     ERROR_UNAVAILABLE);
    assert_non_null(strstr(err.message, "cannot be reached"));
    postgresql_server_start(world->server);
    connection = lend(pool);
    postgresql_pool_give_back(pool, connection);
    postgresql_pool_free(pool);
}

static void nothing_is_prepared_once_a_proxy_has_forgotten(void **state)
{
    struct postgresql_world *world = *state;
    struct postgresql_pool *pool =
        postgresql_pool_new(&world->sql, &world->config, &world->counters);
    struct postgresql_connection *connection = lend(pool);

    assert_true(connection->prepares);
    postgresql_pool_give_back(pool, connection);
    postgresql_pool_stop_preparing(pool);
    connection = lend(pool);
    assert_false(connection->prepares);
    postgresql_pool_give_back(pool, connection);
    postgresql_pool_free(pool);
}

#define TEST(name) cmocka_unit_test_setup(name, postgresql_world_set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_connection_is_used_again),
        TEST(whoever_finds_none_waits_no_longer_than_he_said),
        TEST(a_lost_connection_takes_with_it_those_that_are_as_old),
        TEST(a_database_that_is_away_is_said_to_be_and_found_again),
        TEST(nothing_is_prepared_once_a_proxy_has_forgotten),
    };

    return cmocka_run_group_tests(tests, postgresql_world_start, postgresql_world_end);
}
