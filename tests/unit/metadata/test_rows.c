#include "metadata/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "metadata/sql_sqlite.h"
#include "tests/support/temporary_folder.h"

enum { PATH_BYTES = 4096, ARENA_BYTES = 4096 };

struct fixture {
    char *folder;
    struct sql *sql;
    struct arena arena;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    char path[PATH_BYTES];

    fixture->folder = temporary_folder_new();
    (void)snprintf(path, PATH_BYTES, "%s/test.sqlite", fixture->folder);
    assert_int_equal(sql_sqlite_open(path, &fixture->sql, NULL), OK);
    arena_init(&fixture->arena, ARENA_BYTES);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    arena_release(&fixture->arena);
    sql_free(fixture->sql);
    temporary_folder_free(fixture->folder);
    free(fixture);
    return 0;
}

struct look_up {
    struct sql_query query;
    struct row_reader reader;
    struct row_page *page; /* instead of the reader */
};

static enum error_code look_up(struct sql_connection *connection, void *context, struct error *err)
{
    const struct look_up *wanted = context;

    return wanted->page ? rows_page(connection, &wanted->query, wanted->page, err)
                        : rows_find(connection, &wanted->query, &wanted->reader, err);
}

static enum error_code find(struct fixture *fixture, const char *text, row_read *read, void *into,
                            struct error *err)
{
    struct look_up wanted = {.query = {.text = text}, .reader = {read, into, &fixture->arena}};

    return sql_read(fixture->sql, look_up, &wanted, err);
}

static enum error_code fill(struct fixture *fixture, const char *text, struct row_page *page)
{
    struct look_up wanted = {.query = {.text = text}, .page = page};

    return sql_read(fixture->sql, look_up, &wanted, NULL);
}

static void check_columns(struct row *row, void *into)
{
    struct digest digest;

    (void)into;
    assert_int_equal(row_integer(row), -7);
    assert_true(row_size(row) == 8);
    assert_true(row_bool(row));
    assert_true(str_is(row_text(row), "text"));
    assert_true(str_is(row_borrowed_text(row), "bytes"));
    assert_true(row_is_null(row));
    assert_false(row_optional_digest(row, &digest));
    assert_int_equal(row_integer(row), 0);
    assert_int_equal(row_text(row).length, 0);
    assert_false(row_is_null(row));
    assert_int_equal(row_integer(row), 9);
}

static void columns_are_read_in_order(void **state)
{
    assert_int_equal(find(*state, "select -7, 8, 1, 'text', x'6279746573', null, null, null, 9",
                          check_columns, NULL, NULL),
                     OK);
}

static void check_behind_failure(struct row *row, void *into)
{
    struct digest digest;

    (void)row_digest(row);
    assert_true(row_is_null(row));
    assert_int_equal(row_integer(row), 0);
    assert_int_equal(row_text(row).length, 0);
    assert_int_equal(row_long_text(row).length, 0);
    assert_false(row_optional_digest(row, &digest));
    *(bool *)into = true;
}

static void what_fails_first_sticks(void **state)
{
    struct error err = {0};
    bool is_read = false;

    assert_int_equal(find(*state, "select 'sha256:0', 1, 'text', 'long', 'sha256:0'",
                          check_behind_failure, &is_read, &err),
                     ERROR_INTERNAL);
    assert_true(is_read);
    assert_non_null(strstr(err.message, "digest"));
}

static void read_text(struct row *row, void *into)
{
    struct str *text = into;

    *text = row_text(row);
}

static void read_long_text(struct row *row, void *into)
{
    struct str *text = into;

    *text = row_long_text(row);
}

static void a_text_that_does_not_fit_is_too_large(void **state)
{
    struct fixture *fixture = *state;
    struct str text;

    arena_init(&fixture->arena, 4);
    assert_int_equal(find(fixture, "select 'a text'", read_text, &text, NULL), ERROR_TOO_LARGE);
}

static void no_row_is_not_found_and_not_read(void **state)
{
    struct error err = {0};
    int64_t number = 42;

    assert_int_equal(find(*state, "select 1 where 0", row_read_integer, &number, &err),
                     ERROR_NOT_FOUND);
    assert_int_equal(number, 42);
    assert_string_equal(err.message, "");
}

static void of_many_rows_the_first_is_read(void **state)
{
    int64_t number = 0;

    assert_int_equal(find(*state, "values (1), (2)", row_read_integer, &number, NULL), OK);
    assert_int_equal(number, 1);
}

static void a_page_ends_at_its_limit_and_knows_of_more(void **state)
{
    struct fixture *fixture = *state;
    struct row_page page = {.read = row_read_integer,
                            .item_bytes = sizeof(int64_t),
                            .limit = 2,
                            .arena = &fixture->arena};

    assert_int_equal(fill(fixture, "values (1), (2), (3)", &page), OK);
    assert_int_equal(page.count, 2);
    assert_int_equal(((const int64_t *)page.items)[1], 2);
    assert_true(page.has_more);
    assert_int_equal(fill(fixture, "values (4), (5)", &page), OK);
    assert_int_equal(page.count, 2);
    assert_int_equal(((const int64_t *)page.items)[0], 4);
    assert_false(page.has_more);
    assert_int_equal(fill(fixture, "select 1 where 0", &page), OK);
    assert_int_equal(page.count, 0);
    assert_false(page.has_more);
}

static void a_page_ends_where_its_texts_are_long(void **state)
{
    struct fixture *fixture = *state;
    struct row_page page = {.read = read_long_text,
                            .item_bytes = sizeof(struct str),
                            .limit = 10,
                            .long_bytes_limit = 4,
                            .arena = &fixture->arena};

    assert_int_equal(fill(fixture, "values ('ab'), ('cd'), ('e')", &page), OK);
    assert_int_equal(page.count, 2);
    assert_true(page.has_more);
    assert_int_equal(fill(fixture, "values ('longer'), ('f')", &page), OK);
    assert_int_equal(page.count, 1);
    assert_true(page.has_more);
    assert_int_equal(fill(fixture, "values ('longer')", &page), OK);
    assert_int_equal(page.count, 1);
    assert_false(page.has_more);
}

static void a_page_that_does_not_fit_is_too_large(void **state)
{
    struct fixture *fixture = *state;
    struct row_page page = {.read = row_read_integer,
                            .item_bytes = sizeof(int64_t),
                            .limit = ARENA_BYTES,
                            .arena = &fixture->arena};

    assert_int_equal(fill(fixture, "values (1)", &page), ERROR_TOO_LARGE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(columns_are_read_in_order),
        TEST(what_fails_first_sticks),
        TEST(a_text_that_does_not_fit_is_too_large),
        TEST(no_row_is_not_found_and_not_read),
        TEST(of_many_rows_the_first_is_read),
        TEST(a_page_ends_at_its_limit_and_knows_of_more),
        TEST(a_page_ends_where_its_texts_are_long),
        TEST(a_page_that_does_not_fit_is_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
