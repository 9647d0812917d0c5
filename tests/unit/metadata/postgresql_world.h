#pragma once

#include "metadata/sql_postgresql_connection.h"
#include "tests/support/postgresql_server.h"

/* A server for the tests of a program, and for each test a database with a table `thing`. */
struct postgresql_world {
    struct postgresql_server *server;
    struct postgresql_config config;
    struct postgresql_counters counters;
    struct sql sql; /* for connections without a database of ours */
};

/* For cmocka: of all tests, and of each. */
int postgresql_world_start(void **state);
int postgresql_world_end(void **state);
int postgresql_world_set_up(void **state);

/* A connection with a transaction that is about to begin. */
struct postgresql_connection *postgresql_world_connect(struct postgresql_world *world);

/* A statement without values. */
struct sql_query postgresql_world_query(const char *text);
