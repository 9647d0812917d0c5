#include "metadata/sql_postgresql_connection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/metadata/postgresql_world.h"

static void what_nobody_waits_for_costs_one_round_trip(void **state)
{
    static const char insert[] = "insert into thing (id) values ((select count(*) from thing))";
    struct postgresql_world *world = *state;
    struct postgresql_connection *connection = postgresql_world_connect(world);
    const struct sql_query query = postgresql_world_query(insert);
    const unsigned long long before = atomic_load(&world->counters.round_trips);

    for (int i = 0; i < 10; i++) {
        assert_int_equal(postgresql_connection_run(connection, &query, NULL), OK);
    }
    assert_int_equal(postgresql_connection_commit(connection, NULL), OK);
    assert_int_equal(atomic_load(&world->counters.round_trips), before + 1);
    assert_string_equal(postgresql_server_ask(world->server, "select count(*) from thing"), "10");
    postgresql_connection_close(connection);
}

static void a_failure_is_found_at_the_commit_and_undoes_all(void **state)
{
    struct postgresql_world *world = *state;
    struct postgresql_connection *connection = postgresql_world_connect(world);
    const struct sql_query good = postgresql_world_query("insert into thing (id) values (1)");
    const struct sql_query bad = postgresql_world_query("insert into none values (1)");
    struct error err = {0};

    assert_int_equal(postgresql_connection_run(connection, &good, NULL), OK);
    assert_int_equal(postgresql_connection_run(connection, &bad, NULL), OK);
    assert_int_equal(postgresql_connection_commit(connection, &err), ERROR_INTERNAL);
    assert_non_null(strstr(err.message, "none"));
    postgresql_connection_end(connection);
    postgresql_connection_begin(connection, "begin", NULL);
    assert_int_equal(postgresql_connection_run(connection, &good, NULL), OK);
    assert_int_equal(postgresql_connection_commit(connection, NULL), OK);
    assert_string_equal(postgresql_server_ask(world->server, "select count(*) from thing"), "1");
    postgresql_connection_close(connection);
}

/* As it does when somebody ends the waiting for a standby. */
static void a_commit_with_a_warning_is_not_trusted(void **state)
{
    static const char setup[] =
        "create function warn() returns trigger language plpgsql as "
        "$$ begin raise warning 'not replicated'; return null; end $$;"
        "create constraint trigger warns after insert on thing deferrable initially deferred "
        "for each row execute function warn()";
    struct postgresql_world *world = *state;
    struct postgresql_connection *connection = postgresql_world_connect(world);
    const struct sql_query query = postgresql_world_query("insert into thing (id) values (1)");

    (void)postgresql_server_ask(world->server, setup);
    assert_int_equal(postgresql_connection_run(connection, &query, NULL), OK);
    assert_int_equal(postgresql_connection_commit(connection, NULL), ERROR_UNAVAILABLE);
    assert_int_equal(connection->failure, POSTGRESQL_IS_LOST);
    postgresql_connection_close(connection);
}

static void a_script_is_part_of_its_transaction(void **state)
{
    struct postgresql_world *world = *state;
    struct postgresql_connection *connection = postgresql_world_connect(world);

    assert_int_equal(postgresql_connection_script(
                         connection, "create table a (x bigint); create table b (x bigint)", NULL),
                     OK);
    assert_int_equal(postgresql_connection_script(
                         connection, "insert into a values (1); insert into none values (1)", NULL),
                     ERROR_INTERNAL);
    postgresql_connection_end(connection);
    assert_string_equal(
        postgresql_server_ask(world->server,
                              "select count(*) from pg_class where relname in ('a', 'b')"),
        "0");
    postgresql_connection_close(connection);
}

/* Gives `HOST:PORT:USER`, or what it is told; and notes who asks. */
struct doorman {
    const char *password; /* NULL: as above */
    enum error_code code;
    unsigned asked;
    unsigned doubted;
};

static enum error_code say_password(void *context, const struct database_server *server,
                                    struct strbuf *password, struct error *err)
{
    struct doorman *doorman = context;

    doorman->asked++;
    if (doorman->code) {
        return error_set(err, doorman->code, "no password today");
    }
    if (doorman->password) {
        strbuf_append_text(password, doorman->password);
    } else {
        strbuf_append_format(password, "%s:%u:%s", server->host, (unsigned)server->port,
                             server->user);
    }
    return OK;
}

static void doubt(void *context, const struct database_server *server)
{
    struct doorman *doorman = context;

    (void)server;
    doorman->doubted++;
}

/* From then on there is a user `iam` whose password is that of the server itself. */
static void demand_passwords(struct postgresql_world *world)
{
    const char *const folder = postgresql_server_folder(world->server);
    char text[2048];

    (void)snprintf(text, sizeof(text),
                   "drop role if exists iam; create role iam login password '%s:5432:iam'; "
                   "copy (values ('local all iam password'), ('local all pierone trust')) "
                   "to '%s/db/pg_hba.conf'",
                   folder, folder);
    (void)postgresql_server_ask(world->server, text);
    postgresql_server_kill(world->server);
    postgresql_server_start(world->server);
}

static enum error_code connect_as_iam(struct postgresql_world *world, struct doorman *doorman,
                                      struct error *err)
{
    const char *const folder = postgresql_server_folder(world->server);
    const struct database_passwords passwords = {say_password, doubt, doorman};
    struct postgresql_config config = world->config;
    struct postgresql_connection *connection = NULL;
    char url[2048];
    enum error_code code = OK;

    (void)snprintf(url, sizeof(url), "postgresql:///postgres?host=%s/none,%s&user=iam", folder,
                   folder);
    config.url = url;
    config.passwords = &passwords;
    code = postgresql_connection_open(&world->sql, &config, &connection, err);
    postgresql_connection_close(connection);
    return code;
}

static void each_server_is_shown_its_own_password(void **state)
{
    struct postgresql_world *world = *state;
    struct doorman doorman = {0};
    struct error err = {0};

    demand_passwords(world);
    if (connect_as_iam(world, &doorman, &err)) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(doorman.asked, 2); /* the first of them is not there */
    assert_int_equal(doorman.doubted, 0);
}

static void a_password_that_is_refused_is_doubted(void **state)
{
    struct postgresql_world *world = *state;
    struct doorman doorman = {.password = "wrong"};
    struct error err = {0};

    demand_passwords(world);
    assert_int_equal(connect_as_iam(world, &doorman, &err), ERROR_UNAVAILABLE);
    assert_non_null(strstr(err.message, "password authentication failed"));
    assert_non_null(strstr(err.message, "/none"));
    assert_null(strstr(err.message, "wrong"));
    assert_int_equal(doorman.doubted, 1);
}

static void without_a_password_nobody_is_asked(void **state)
{
    struct doorman doorman = {.code = ERROR_UNAVAILABLE};
    struct error err = {0};

    assert_int_equal(connect_as_iam(*state, &doorman, &err), ERROR_UNAVAILABLE);
    assert_non_null(strstr(err.message, "no password today"));
    assert_int_equal(doorman.doubted, 0);
}

static void a_database_that_does_not_keep_unicode_is_refused(void **state)
{
    struct postgresql_world *world = *state;
    struct postgresql_connection *connection = NULL;
    struct error err = {0};
    char url[1024];

    (void)postgresql_server_ask(world->server,
                                "create database bytes template template0 encoding 'SQL_ASCII' "
                                "lc_collate 'C' lc_ctype 'C'");
    (void)snprintf(url, sizeof(url), "%s&dbname=bytes", world->config.url);
    world->config.url = url;
    assert_int_equal(postgresql_connection_open(&world->sql, &world->config, &connection, &err),
                     ERROR_INVALID);
    assert_non_null(strstr(err.message, "UTF8"));
}

#define TEST(name) cmocka_unit_test_setup(name, postgresql_world_set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_nobody_waits_for_costs_one_round_trip),
        TEST(a_failure_is_found_at_the_commit_and_undoes_all),
        TEST(a_commit_with_a_warning_is_not_trusted),
        TEST(a_script_is_part_of_its_transaction),
        TEST(a_database_that_does_not_keep_unicode_is_refused),
        TEST(each_server_is_shown_its_own_password),
        TEST(a_password_that_is_refused_is_doubted),
        TEST(without_a_password_nobody_is_asked),
    };

    return cmocka_run_group_tests(tests, postgresql_world_start, postgresql_world_end);
}
