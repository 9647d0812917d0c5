#include "metadata/sql_postgresql.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/cutting_proxy.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/metadata/postgresql_world.h"

static struct sql *open_database(struct postgresql_world *world)
{
    struct error err = {0};
    struct sql *sql = NULL;

    if (sql_postgresql_open(&world->config, &sql, &err)) {
        fail_msg("%s", err.message);
    }
    return sql;
}

static enum error_code insert(struct sql_connection *connection, void *context, struct error *err)
{
    const struct sql_query *query = context;

    return sql_run(connection, query, err);
}

static void write_thing(struct sql *sql, struct sql_value id, struct sql_value text,
                        struct sql_value bytes)
{
    struct sql_query query = {.text = "insert into thing (id, text, bytes) values ($1, $2, $3)",
                              .values = {id, text, bytes},
                              .count = 3};

    assert_int_equal(sql_write(sql, SQL_DURABLE, insert, &query, NULL), OK);
}

static enum error_code compare(struct sql_connection *connection, void *context, struct error *err)
{
    const struct sql_query *wanted = context;
    const struct sql_query query = {.text =
                                        "select id, text, bytes from thing order by id limit 1"};
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    bool is_row = false;

    assert_int_equal(sql_query_row(connection, &query, &rows, &is_row, err), OK);
    assert_true(is_row);
    for (int i = 0; i < 3; i++) {
        const struct sql_value value = sql_rows_column(rows, i);

        assert_int_equal(value.type, wanted->values[i].type);
        assert_int_equal(value.integer, wanted->values[i].integer);
        assert_true(str_equal(value.bytes, wanted->values[i].bytes));
    }
    assert_int_equal(sql_rows_next(rows, &is_row, err), OK);
    assert_false(is_row);
    return OK;
}

static void values_come_back_as_they_went(void **state)
{
    static const struct str odd = STR_LITERAL("a\0b\xff'");
    struct postgresql_world *world = *state;
    struct sql *sql = open_database(world);
    struct sql_query things[] = {
        {.values = {sql_integer(INT64_MAX), sql_text(str_from("x")), sql_bytes(odd)}},
        {.values = {sql_integer(1), sql_null(), sql_null()}},
        {.values = {sql_integer(0), sql_text(str_from("")), sql_bytes(str_from(""))}},
        {.values = {sql_integer(-1), sql_text(str_from("\xc3\xa4")), sql_null()}},
        {.values = {sql_integer(INT64_MIN), sql_null(), sql_bytes(odd)}},
    };

    for (size_t i = 0; i < ARRAY_LEN(things); i++) {
        write_thing(sql, things[i].values[0], things[i].values[1], things[i].values[2]);
        assert_int_equal(sql_read(sql, compare, &things[i], NULL), OK);
    }
    sql_free(sql);
}

static enum error_code insert_and_fail(struct sql_connection *connection, void *context,
                                       struct error *err)
{
    static const struct sql_query query = {.text = "insert into thing (id) values (1)"};

    (void)context;
    assert_int_equal(sql_run(connection, &query, err), OK);
    return error_set(err, ERROR_CONFLICT, "on purpose");
}

static void a_work_that_fails_leaves_nothing_behind(void **state)
{
    struct postgresql_world *world = *state;
    struct sql *sql = open_database(world);
    struct error err = {0};

    assert_int_equal(sql_write(sql, SQL_DURABLE, insert_and_fail, NULL, &err), ERROR_CONFLICT);
    assert_string_equal(err.message, "on purpose");
    assert_string_equal(postgresql_server_ask(world->server, "select count(*) from thing"), "0");
    sql_free(sql);
}

static enum error_code fail_twice(struct sql_connection *connection, void *context,
                                  struct error *err)
{
    static const struct sql_query query = {.text = "insert into thing (id) values (1 / 0)"};

    (void)context;
    assert_int_equal(sql_run(connection, &query, err), OK); /* nobody has waited for it */
    return error_set(err, ERROR_CONFLICT, "on purpose");
}

static void what_fails_unseen_is_no_affair_of_the_next(void **state)
{
    struct postgresql_world *world = *state;
    struct sql *sql = open_database(world);

    for (int64_t i = 0; i < 3; i++) {
        assert_int_equal(sql_write(sql, SQL_DURABLE, fail_twice, NULL, NULL), ERROR_CONFLICT);
        write_thing(sql, sql_integer(i), sql_null(), sql_null());
    }
    sql_free(sql);
}

static int64_t count_things(struct sql_connection *connection)
{
    static const struct sql_query query = {.text = "select count(*) from thing"};
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    bool is_row = false;

    assert_int_equal(sql_query_row(connection, &query, &rows, &is_row, NULL), OK);
    return sql_rows_column(rows, 0).integer;
}

static enum error_code count_twice(struct sql_connection *connection, void *context,
                                   struct error *err)
{
    struct postgresql_world *world = context;
    const int64_t count = count_things(connection);

    (void)err;
    (void)postgresql_server_ask(world->server, "insert into thing (id) values (2)");
    assert_int_equal(count_things(connection), count);
    return OK;
}

static void a_read_sees_one_state(void **state)
{
    struct postgresql_world *world = *state;
    struct sql *sql = open_database(world);

    assert_int_equal(sql_read(sql, count_twice, world, NULL), OK);
    sql_free(sql);
}

/* A work whose connection is cut the first time. */
struct cut {
    struct postgresql_world *world;
    int calls;
};

static enum error_code be_cut(struct sql_connection *connection, void *context, struct error *err)
{
    static const struct sql_query query = {.text = "insert into thing (id) values (1)"};
    struct cut *cut = context;

    cut->calls++;
    assert_int_equal(count_things(connection), 0);
    if (cut->calls == 1) {
        (void)postgresql_server_ask(cut->world->server,
                                    "select pg_terminate_backend(pid, 60000) from pg_stat_activity "
                                    "where datname = current_database() and pid <> "
                                    "pg_backend_pid()");
    }
    return sql_run(connection, &query, err);
}

static void what_is_lost_in_the_middle_is_done_again(void **state)
{
    struct cut cut = {.world = *state};
    struct sql *sql = open_database(cut.world);

    assert_int_equal(sql_write(sql, SQL_DURABLE, be_cut, &cut, NULL), OK);
    assert_int_equal(cut.calls, 2);
    assert_string_equal(postgresql_server_ask(cut.world->server, "select count(*) from thing"),
                        "1");
    sql_free(sql);
}

static enum error_code insert_once(struct sql_connection *connection, void *context,
                                   struct error *err)
{
    static const struct sql_query query = {
        .text = "insert into thing (id) values (1) on conflict do nothing"};
    int *calls = context;

    ++*calls;
    return sql_run(connection, &query, err);
}

/* The server has committed, and the answer is lost: no guess is right, but to do it again is. */
static void a_commit_that_nobody_heard_of_is_done_again(void **state)
{
    struct postgresql_world *world = *state;
    char *folder = temporary_folder_new();
    struct cutting_proxy *proxy =
        cutting_proxy_new(postgresql_server_folder(world->server), folder);
    struct sql *sql = NULL;
    char url[1024];
    int calls = 0;

    (void)snprintf(url, sizeof(url), "%s&host=%s", world->config.url, folder);
    world->config.url = url;
    sql = open_database(world);
    cutting_proxy_cut_behind(proxy, "commit");
    assert_int_equal(sql_write(sql, SQL_DURABLE, insert_once, &calls, NULL), OK);
    assert_int_equal(calls, 2);
    assert_string_equal(postgresql_server_ask(world->server, "select count(*) from thing"), "1");
    sql_free(sql);
    cutting_proxy_free(proxy);
    temporary_folder_free(folder);
}

static enum error_code collide(struct sql_connection *connection, void *context, struct error *err)
{
    static const struct sql_query deadlock = {.text = "select raise('40P01')"};
    static const struct sql_query clash = {.text = "select raise('40001')"};
    static const struct sql_query query = {.text = "insert into thing (id) values (1)"};
    int *calls = context;

    ++*calls;
    return sql_run(connection, *calls == 1 ? &deadlock : *calls == 2 ? &clash : &query, err);
}

static void what_collides_is_done_again(void **state)
{
    struct postgresql_world *world = *state;
    struct sql *sql = open_database(world);
    int calls = 0;

    (void)postgresql_server_ask(world->server,
                                "create function raise(state text) returns bigint language plpgsql "
                                "as $$ begin raise exception 'on purpose' using errcode = state; "
                                "end $$");
    assert_int_equal(sql_write(sql, SQL_DURABLE, collide, &calls, NULL), OK);
    assert_int_equal(calls, 3);
    sql_free(sql);
}

/* Finds everything done, as behind a commit that it did not hear of. */
static enum error_code be_cut_and_find(struct sql_connection *connection, void *context,
                                       struct error *err)
{
    static const struct sql_query query = {
        .text = "select 1 where pg_current_xact_id_if_assigned() is not null"};
    struct cut *cut = context;
    bool is_assigned = false;

    cut->calls++;
    assert_int_equal(count_things(connection), 0);
    if (cut->calls == 1) {
        (void)postgresql_server_ask(cut->world->server,
                                    "select pg_terminate_backend(pid, 60000) from pg_stat_activity "
                                    "where datname = current_database() and pid <> "
                                    "pg_backend_pid()");
        return sql_run_for_row(connection, &query, &is_assigned, err);
    }
    assert_int_equal(sql_run_for_row(connection, &query, &is_assigned, err), OK);
    assert_true(is_assigned); /* or its commit would not wait for what was committed before */
    return OK;
}

static void what_is_found_done_is_waited_for(void **state)
{
    struct cut cut = {.world = *state};
    struct sql *sql = open_database(cut.world);

    assert_int_equal(sql_write(sql, SQL_DURABLE, be_cut_and_find, &cut, NULL), OK);
    assert_int_equal(cut.calls, 2);
    sql_free(sql);
}

static void a_server_that_comes_back_is_used_again(void **state)
{
    struct postgresql_world *world = *state;
    struct sql *sql = open_database(world);

    postgresql_server_kill(world->server);
    postgresql_server_start(world->server);
    write_thing(sql, sql_integer(1), sql_null(), sql_null());
    sql_free(sql);
}

static void a_server_that_is_away_is_not_waited_for_forever(void **state)
{
    struct postgresql_world *world = *state;
    struct sql_query query = {.text = "insert into thing (id) values (1)"};
    struct sql *sql = NULL;
    struct error err = {0};

    world->config.retry_ms = 500;
    sql = open_database(world);
    postgresql_server_kill(world->server);
    assert_int_equal(sql_write(sql, SQL_DURABLE, insert, &query, &err), ERROR_UNAVAILABLE);
    assert_true(err.retry_after_s > 0);
    postgresql_server_start(world->server);
    sql_free(sql);
}

static void a_database_that_does_not_wait_for_its_disk_is_refused(void **state)
{
    struct postgresql_world *world = *state;
    struct sql *sql = NULL;
    struct error err = {0};

    (void)postgresql_server_ask(world->server,
                                "do $$ begin execute format('alter database %I set "
                                "synchronous_commit = off', current_database()); end $$");
    assert_int_equal(sql_postgresql_open(&world->config, &sql, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "synchronous_commit"));
}

static void text_that_is_none_is_its_senders_mistake(void **state)
{
    struct sql_query query = {.text = "insert into thing (id, text) values (1, $1)",
                              .values = {sql_text(str_from("\xff"))},
                              .count = 1};
    struct sql *sql = open_database(*state);

    assert_int_equal(sql_write(sql, SQL_DURABLE, insert, &query, NULL), ERROR_INVALID);
    sql_free(sql);
}

static void what_happens_is_counted(void **state)
{
    struct postgresql_world *world = *state;
    struct sql *sql = open_database(world);
    uint64_t before[2];
    uint64_t after[2];

    sql_postgresql_count(sql, &before[0], &before[1]);
    write_thing(sql, sql_integer(1), sql_null(), sql_null());
    sql_postgresql_count(sql, &after[0], &after[1]);
    assert_int_equal(after[0] - before[0], 3); /* begin, insert, commit */
    assert_int_equal(after[1] - before[1], 1);
    sql_free(sql);
}

#define TEST(name) cmocka_unit_test_setup(name, postgresql_world_set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_come_back_as_they_went),
        TEST(a_work_that_fails_leaves_nothing_behind),
        TEST(what_fails_unseen_is_no_affair_of_the_next),
        TEST(a_read_sees_one_state),
        TEST(what_is_lost_in_the_middle_is_done_again),
        TEST(a_commit_that_nobody_heard_of_is_done_again),
        TEST(what_collides_is_done_again),
        TEST(what_is_found_done_is_waited_for),
        TEST(a_server_that_comes_back_is_used_again),
        TEST(a_server_that_is_away_is_not_waited_for_forever),
        TEST(a_database_that_does_not_wait_for_its_disk_is_refused),
        TEST(text_that_is_none_is_its_senders_mistake),
        TEST(what_happens_is_counted),
    };

    return cmocka_run_group_tests(tests, postgresql_world_start, postgresql_world_end);
}
