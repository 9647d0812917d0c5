#include "metadata/sql_postgresql_cancel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/metadata/postgresql_world.h"

enum { PATIENCE_MS = 60000 };

/* Or it would go on behind the lock, and take it for nobody. */
static void what_is_given_up_does_not_go_on_in_the_server(void **state)
{
    static const char waiting[] = "select count(*) from pg_stat_activity where state <> 'idle' "
                                  "and pid <> pg_backend_pid() and query like 'insert into thing%'";
    struct postgresql_world *world = *state;
    const struct sql_query lock = postgresql_world_query("lock table thing");
    const struct sql_query query = postgresql_world_query("insert into thing (id) values (1)");
    struct postgresql_connection *holder = postgresql_world_connect(world);
    struct postgresql_connection *late = NULL;
    const int64_t deadline_ms = clock_monotonic_ms(&clock_system) + PATIENCE_MS;
    PGresult *result = NULL;

    assert_int_equal(postgresql_connection_query(holder, &lock, &result, NULL), OK);
    PQclear(result);
    world->config.timeout_ms = 50;
    late = postgresql_world_connect(world);
    assert_int_equal(postgresql_connection_query(late, &query, &result, NULL), ERROR_UNAVAILABLE);
    postgresql_connection_close(late);
    while (strcmp(postgresql_server_ask(world->server, waiting), "0") != 0) {
        assert_true(clock_monotonic_ms(&clock_system) < deadline_ms);
    }
    postgresql_connection_end(holder);
    postgresql_connection_close(holder);
}

static void nor_behind_a_proxy(void **state)
{
    struct postgresql_world *world = *state;

    if (!postgresql_proxy_is_installed()) {
        skip();
    }
    postgresql_server_put_proxy(world->server);
    (void)postgresql_world_set_up(state);
    what_is_given_up_does_not_go_on_in_the_server(state);
}

#define TEST(name) cmocka_unit_test_setup(name, postgresql_world_set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_given_up_does_not_go_on_in_the_server),
        TEST(nor_behind_a_proxy), /* last: it stays */
    };

    return cmocka_run_group_tests(tests, postgresql_world_start, postgresql_world_end);
}
