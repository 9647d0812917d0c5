#include "api/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct http_exchange exchange;
    struct call call;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.call.exchange = &fixture.exchange};
    http_response_init(&fixture.exchange.response);
    arena_init(&fixture.exchange.arena, 64 * 1024);
    strbuf_init(&fixture.call.written, RESPONSE_MAX_BYTES);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    http_response_release(&fixture->exchange.response);
    arena_release(&fixture->exchange.arena);
    strbuf_release(&fixture->call.written);
    return 0;
}

static const char *headers(const struct fixture *fixture)
{
    return fixture->exchange.response.headers.text;
}

static void page_size_is_read_and_capped(void **state)
{
    static const struct {
        const char *query;
        enum error_code code;
        size_t limit;
    } cases[] = {
        {"", OK, 1000},
        {"n=0", OK, 0},
        {"n=1", OK, 1},
        {"n=1000", OK, 1000},
        {"n=1001", OK, 1000},
        {"n=18446744073709551615", OK, 1000},
        {"n=", ERROR_INVALID, 0},
        {"n=-1", ERROR_INVALID, 0},
        {"n=+1", ERROR_INVALID, 0},
        {"n=1.5", ERROR_INVALID, 0},
        {"n=x", ERROR_INVALID, 0},
        {"n=0x10", ERROR_INVALID, 0},
        {"n=%20%31", ERROR_INVALID, 0},
        {"n=99999999999999999999", ERROR_INVALID, 0},
        {"n=2&n=3", ERROR_INVALID, 0},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = {0};
        struct page page = {0};

        fixture->exchange.request.query = str_from(cases[i].query);
        assert_int_equal(page_read(&fixture->call, &page_of_oci, &page, &err), cases[i].code);
        assert_int_equal(page.limit, cases[i].limit);
        assert_int_equal(err.topic, cases[i].code ? ABOUT_PAGE : ABOUT_NOTHING);
    }
}

static void link_leads_to_the_next_page(void **state)
{
    struct fixture *fixture = *state;

    fixture->exchange.request.path = str_from("/v2/a/b/tags/list");
    page_add_link(&fixture->call, &(struct page){&page_of_oci, 5, {0}}, str_from("1.0"));
    assert_string_equal(headers(fixture),
                        "Link: </v2/a/b/tags/list?n=5&last=1.0>; rel=\"next\"\r\n");
}

static void link_encodes_what_could_end_it(void **state)
{
    struct fixture *fixture = *state;

    fixture->exchange.request.path = str_from("/p");
    page_add_link_with(&fixture->call, &(struct page){&page_of_oci, 1, {0}}, str_from("a>b&c"),
                       "artifactType", str_from("x/y+z \n"));
    assert_string_equal(
        headers(fixture),
        "Link: </p?n=1&last=a%3Eb%26c&artifactType=x/y%2Bz%20%0A>; rel=\"next\"\r\n");
}

/* The longest that call_parameter gives, each byte of it encoded, is there whole. */
static void long_link_is_whole(void **state)
{
    struct fixture *fixture = *state;
    char long_value[1024];

    memset(long_value, '+', sizeof(long_value) - 1);
    long_value[sizeof(long_value) - 1] = '\0';
    fixture->exchange.request.path = str_from("/p");
    page_add_link_with(&fixture->call, &(struct page){&page_of_oci, 1000, {0}},
                       str_from(long_value), "artifactType", str_from(long_value));
    assert_true(str_ends_with(strbuf_str(&fixture->exchange.response.headers),
                              "%2B%2B>; rel=\"next\"\r\n"));
}

static void numbers_are_cut_off_a_position(void **state)
{
    static const struct {
        const char *position;
        bool is_number;
        int64_t number;
        const char *rest;
    } rows[] = {
        {"5-6", true, 5, "6"},
        {"5-", true, 5, ""},
        {"5", true, 5, NULL},
        {"9223372036854775807-x-y", true, INT64_MAX, "x-y"},
        {"9223372036854775808-x", false, 0, NULL},
        {"-5", false, 0, NULL},
        {"x-5", false, 0, NULL},
        {"", false, 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str position = str_from(rows[i].position);
        int64_t number = 0;

        assert_int_equal(page_cut_number(&position, &number), rows[i].is_number);
        if (rows[i].is_number) {
            assert_true(number == rows[i].number);
            assert_int_equal(position.bytes != NULL, rows[i].rest != NULL);
            assert_true(str_is(position, rows[i].rest ? rows[i].rest : ""));
        }
    }
}

static void position_that_no_link_has_given_is_about_the_page(void **state)
{
    const struct page page = {&page_of_teams, 1, {0}};
    struct error err = {0};

    (void)state;
    assert_int_equal(page_refuse(&page, &err), ERROR_INVALID);
    assert_int_equal(err.topic, ABOUT_PAGE);
    assert_string_equal(err.message, "cursor must be one that an answer's Link field has given");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(page_size_is_read_and_capped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(link_leads_to_the_next_page, set_up, tear_down),
        cmocka_unit_test_setup_teardown(link_encodes_what_could_end_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_link_is_whole, set_up, tear_down),
        cmocka_unit_test(numbers_are_cut_off_a_position),
        cmocka_unit_test(position_that_no_link_has_given_is_about_the_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
