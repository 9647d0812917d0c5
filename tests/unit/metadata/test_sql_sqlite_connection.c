#include "metadata/sql_sqlite_connection.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "metadata/sql_sqlite.h"
#include "tests/support/temporary_folder.h"

enum { PATH_BYTES = 4096, COMMAND_BYTES = 256 };

struct fixture {
    char *folder;
    char path[PATH_BYTES]; /* nothing is there yet */
};

/* How long SQLite slept, waiting for a lock; it does not, here. */
static int64_t slept_us;

/* The C library's names for the parameters are reserved to it. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int usleep(useconds_t us)
{
    slept_us += us;
    return 0;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int nanosleep(const struct timespec *duration, struct timespec *rest)
{
    (void)rest;
    slept_us += duration->tv_sec * 1000000 + duration->tv_nsec / 1000;
    return 0;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    fixture->folder = temporary_folder_new();
    (void)snprintf(fixture->path, PATH_BYTES, "%s/test.sqlite", fixture->folder);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    temporary_folder_free(fixture->folder);
    free(fixture);
    return 0;
}

/* As another program would. */
static void run_by_hand(const struct fixture *fixture, const char *script)
{
    sqlite3 *handle = NULL;

    assert_int_equal(sqlite3_open(fixture->path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, script, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

static int64_t ask_by_hand(const struct fixture *fixture, const char *question)
{
    sqlite3 *handle = NULL;
    sqlite3_stmt *statement = NULL;
    int64_t answer = 0;

    assert_int_equal(sqlite3_open(fixture->path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(handle, question, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    answer = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(handle);
    return answer;
}

static void database_of_another_program_is_refused_and_left_alone(void **state)
{
    static const char *const scripts[] = {
        "create table bookmark (id integer primary key)",
        "pragma application_id = 1; create table schema_version (version integer)",
        "pragma application_id = 1",
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        struct error err = {0};
        struct sql *sql = NULL;

        (void)unlink(fixture->path);
        run_by_hand(fixture, scripts[i]);
        assert_int_equal(sql_sqlite_open(fixture->path, &sql, &err), ERROR_INVALID);
        assert_non_null(strstr(err.message, "belongs to another program"));
        assert_null(sql);
        /* A write-ahead log would show here: 2 instead of 1 (SQLite: "Database File Format"). */
        assert_true(
            ask_by_hand(fixture, "select journal_mode = 'delete' from pragma_journal_mode"));
    }
}

static void database_from_before_we_left_our_name_is_ours(void **state)
{
    struct fixture *fixture = *state;
    struct sql *sql = NULL;

    run_by_hand(fixture, "create table schema_version (version integer); create table other (id)");
    assert_int_equal(sql_sqlite_open(fixture->path, &sql, NULL), OK);
    sql_free(sql);
    assert_int_equal(ask_by_hand(fixture, "select application_id from pragma_application_id"),
                     0x50494552);
    assert_int_equal(sql_sqlite_open(fixture->path, &sql, NULL), OK);
    sql_free(sql);
}

static void damaged_database_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct sql *sql = NULL;
    char garbage[512];
    int fd = -1;

    run_by_hand(fixture, "create table schema_version (version integer)");
    memset(garbage, 0xa5, sizeof(garbage));
    fd = open(fixture->path, O_WRONLY | O_CLOEXEC);
    /* Behind the header: the tree of tables. */
    assert_int_equal(pwrite(fd, garbage, sizeof(garbage), 100), sizeof(garbage));
    (void)close(fd);
    assert_int_equal(sql_sqlite_open(fixture->path, &sql, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "restore it from a backup"));
}

static enum error_code do_nothing(struct sql_connection *connection, void *context,
                                  struct error *err)
{
    static const struct sql_query query = {.text = "select count(*) from sqlite_schema"};

    (void)context;
    return sql_run(connection, &query, err);
}

/* Nobody's request was wrong: it is a matter of trying again. */
static void reader_without_descriptors_is_unavailable(void **state)
{
    struct fixture *fixture = *state;
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct error err = {0};
    struct sql *sql = NULL;
    struct rlimit limit;
    struct rlimit none;

    (void)close(fd);
    assert_int_equal(sql_sqlite_open(fixture->path, &sql, NULL), OK);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){(rlim_t)fd, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(sql_read(sql, do_nothing, NULL, &err), ERROR_UNAVAILABLE);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(sql_read(sql, do_nothing, NULL, &err), OK);
    sql_free(sql);
}

/* Another program that holds the lock gets its time; then it is for the client to come again. */
static void locked_database_is_waited_for_and_then_unavailable(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *other = NULL;
    struct error err = {0};
    struct sql *sql = NULL;

    assert_int_equal(sql_sqlite_open(fixture->path, &sql, NULL), OK);
    assert_int_equal(sqlite3_open(fixture->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "begin immediate", NULL, NULL, NULL), SQLITE_OK);
    slept_us = 0;
    assert_int_equal(sql_write(sql, SQL_DURABLE, do_nothing, NULL, &err), ERROR_UNAVAILABLE);
    assert_non_null(strstr(err.message, fixture->path));
    assert_non_null(strstr(err.message, "locked"));
    assert_true(slept_us >= 9 * 1000000);
    assert_true(slept_us <= 11 * 1000000);
    assert_int_equal(sql_read(sql, do_nothing, NULL, NULL), OK);
    assert_int_equal(sqlite3_exec(other, "rollback", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sql_write(sql, SQL_DURABLE, do_nothing, NULL, NULL), OK);
    (void)sqlite3_close(other);
    sql_free(sql);
}

/* A folder in the place of the log keeps even root from writing. */
static void database_that_cannot_be_written_is_refused_with_what_to_do(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct sql *sql = NULL;
    char log[PATH_BYTES + 8];

    run_by_hand(fixture, "create table schema_version (version integer)");
    (void)snprintf(log, sizeof(log), "%s-wal", fixture->path);
    assert_int_equal(mkdir(log, 0700), 0);
    assert_int_equal(sql_sqlite_open(fixture->path, &sql, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, fixture->path));
    assert_non_null(strstr(err.message, "let this user write it"));
    assert_null(sql);
}

static enum error_code replace(struct sql_connection *connection, void *context, struct error *err)
{
    (void)context;
    return sql_script(connection, "replace into thing (id, data) values (1, 'new')", err);
}

static enum error_code protect(struct sql_connection *connection, void *context, struct error *err)
{
    (void)context;
    return sql_script(connection,
                      "create table thing (id integer primary key, data text);"
                      "insert into thing values (1, 'old');"
                      "create trigger thing_is_never_deleted before delete on thing "
                      "begin select raise(abort, 'immutable'); end;",
                      err);
}

/* It deletes what is in its way, which by itself fires no trigger. */
static void replacing_does_not_pass_by_a_trigger_that_forbids_deleting(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct sql *sql = NULL;

    assert_int_equal(sql_sqlite_open(fixture->path, &sql, NULL), OK);
    assert_int_equal(sql_write(sql, SQL_DURABLE, protect, NULL, NULL), OK);
    assert_int_equal(sql_write(sql, SQL_DURABLE, replace, NULL, &err), ERROR_INTERNAL);
    assert_non_null(strstr(err.message, "immutable"));
    sql_free(sql);
    assert_true(ask_by_hand(fixture, "select data = 'old' from thing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(database_of_another_program_is_refused_and_left_alone,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(database_from_before_we_left_our_name_is_ours, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(damaged_database_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reader_without_descriptors_is_unavailable, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(locked_database_is_waited_for_and_then_unavailable, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(database_that_cannot_be_written_is_refused_with_what_to_do,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(replacing_does_not_pass_by_a_trigger_that_forbids_deleting,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
