#include "tests/unit/metadata/postgresql_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

int postgresql_world_start(void **state)
{
    struct postgresql_world *world = calloc(1, sizeof(*world));

    if (!postgresql_is_installed()) {
        exit(POSTGRESQL_SKIPPED);
    }
    world->server = postgresql_server_new("fsync = off");
    *state = world;
    return 0;
}

int postgresql_world_end(void **state)
{
    struct postgresql_world *world = *state;

    postgresql_server_free(world->server);
    free(world);
    return 0;
}

int postgresql_world_set_up(void **state)
{
    struct postgresql_world *world = *state;

    world->config = (struct postgresql_config){.url = postgresql_server_create(world->server),
                                               .connections = 4,
                                               .timeout_ms = 30000,
                                               .start_ms = 30000,
                                               .retry_ms = 30000,
                                               .prepared_statements = true};
    (void)postgresql_server_ask(
        world->server, "create table thing (id bigint primary key, text text, bytes bytea)");
    return 0;
}

struct postgresql_connection *postgresql_world_connect(struct postgresql_world *world)
{
    struct postgresql_connection *connection = NULL;
    struct error err = {0};

    if (postgresql_connection_open(&world->sql, &world->config, &connection, &err)) {
        fail_msg("%s", err.message);
    }
    connection->counters = &world->counters;
    postgresql_connection_begin(connection, "begin", NULL);
    return connection;
}

struct sql_query postgresql_world_query(const char *text)
{
    return (struct sql_query){.text = text};
}
