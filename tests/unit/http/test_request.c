#include "http/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attributes.h"

static void headers_are_found_without_regard_to_case(void **state)
{
    static struct http_request request = {
        .header_count = 3,
        .headers = {{STR_LITERAL("Accept"), STR_LITERAL("a")},
                    {STR_LITERAL("RANGE"), STR_LITERAL("b")},
                    {STR_LITERAL("accept"), STR_LITERAL("c")}},
    };
    size_t position = 0;

    (void)state;
    assert_true(str_is(http_request_header(&request, "Range"), "b"));
    assert_true(str_is(http_request_header(&request, "ACCEPT"), "a"));
    assert_null(http_request_header(&request, "Accep").bytes);
    assert_null(http_request_header(&request, "Accept2").bytes);
    assert_true(str_is(http_request_next_header(&request, "Accept", &position), "a"));
    assert_true(str_is(http_request_next_header(&request, "Accept", &position), "c"));
    assert_null(http_request_next_header(&request, "Accept", &position).bytes);
    assert_null(http_request_next_header(&request, "Accept", &position).bytes);
}

static void an_empty_header_differs_from_an_absent_one(void **state)
{
    static struct http_request request = {.header_count = 1,
                                          .headers = {{STR_LITERAL("Accept"), STR_LITERAL("")}}};
    const struct str value = http_request_header(&request, "Accept");

    (void)state;
    assert_non_null(value.bytes);
    assert_int_equal(value.length, 0);
}

static void percent_encodings_are_decoded(void **state)
{
    static const struct {
        const char *encoded, *decoded; /* NULL: refused */
    } cases[] = {
        {"", ""},           {"abc", "abc"},         {"a%2Fb", "a/b"},
        {"%2f%2F", "//"},   {"%41%42", "AB"},       {"%7f%80%ff%01", "\x7f\x80\xff\x01"},
        {"a+b", "a+b"},     {"sha%3Aab", "sha:ab"}, {"%25", "%"},
        {"%2541", "%41"},   {"1234567", "1234567"}, {"123456%37", "1234567"},
        {"12345678", NULL}, {"1234567%38", NULL},   {"%", NULL},
        {"a%", NULL},       {"a%4", NULL},          {"%4", NULL},
        {"%%41", NULL},     {"%4g", NULL},          {"%g4", NULL},
        {"% 1", NULL},      {"%-1", NULL},          {"%00", NULL},
        {"a%00b", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char decoded[8] = "before";
        const bool is_good = http_percent_decode(str_from(cases[i].encoded), decoded, 8);

        assert_int_equal(is_good, cases[i].decoded != NULL);
        assert_string_equal(decoded, is_good ? cases[i].decoded : "");
    }
}

static void a_plain_nul_is_not_decoded(void **state)
{
    const struct str encoded = {"a\0b", 3};
    char decoded[8];

    (void)state;
    assert_false(http_percent_decode(encoded, decoded, sizeof(decoded)));
}

static void only_the_empty_text_fits_in_one_byte(void **state)
{
    char decoded[1];

    (void)state;
    assert_true(http_percent_decode((struct str){0}, decoded, 1));
    assert_string_equal(decoded, "");
    assert_false(http_percent_decode(str_from("a"), decoded, 1));
}

static void parameters_are_found_and_decoded(void **state)
{
    static const struct {
        const char *query, *name, *value; /* NULL: absent */
    } cases[] = {
        {"", "n", NULL},
        {"n=1", "n", "1"},
        {"a=b&n=1&c=d", "n", "1"},
        {"%6E=1", "n", "1"},
        {"n%00=1", "n", NULL},
        {"%zz=1&n=2&m=%zz", "n", "2"},
        {"n", "n", ""},
        {"n&m=1", "n", ""},
        {"n=", "n", ""},
        {"n==1", "n", "=1"},
        {"nn=1&n=2", "n", "2"},
        {"N=1", "n", NULL},
        {"&&n=1", "n", "1"},
        {"&", "n", NULL},
        {"=1", "n", NULL},
        {"digest=sha256%3Aab", "digest", "sha256:ab"},
        {"last=a+b", "last", "a+b"},
        {"last=%C3%A9", "last", "\xc3\xa9"},
        {"n=012345678901234", "n", "012345678901234"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_request request;
        char value[16] = "before";
        enum http_parameter found = HTTP_PARAMETER_BAD;
        size_t position = 0;

        request.query = str_from(cases[i].query);
        found =
            http_request_next_parameter(&request, cases[i].name, &position, value, sizeof(value));
        assert_int_equal(found, cases[i].value ? HTTP_PARAMETER_FOUND : HTTP_PARAMETER_ABSENT);
        if (cases[i].value) {
            assert_string_equal(value, cases[i].value);
        }
    }
}

static void parameters_that_cannot_be_read_are_not_taken_for_absent(void **state)
{
    static const char *const queries[] = {
        "n=%zz", "n=%zz&n=1", "n=%00", "n=%C3", "n=%C0%AF", "n=%", "n=%4", "n=0123456789012345",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        struct http_request request;
        char value[16];
        size_t position = 0;

        request.query = str_from(queries[i]);
        if (http_request_next_parameter(&request, "n", &position, value, sizeof(value)) !=
            HTTP_PARAMETER_BAD) {
            fail_msg("%s", queries[i]);
        }
    }
}

static void parameters_that_repeat_are_found_one_by_one(void **state)
{
    static const char *const queries[] = {"n=1&n=2", "m=%zz&n=1&&%6e=2&nn=3", "n=1&n=2&"};
    struct http_request request;
    char value[16];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        size_t position = 0;

        request.query = str_from(queries[i]);
        for (const char *wanted = "12"; *wanted; wanted++) {
            assert_int_equal(
                http_request_next_parameter(&request, "n", &position, value, sizeof(value)),
                HTTP_PARAMETER_FOUND);
            assert_int_equal(value[0], *wanted);
        }
        for (int again = 0; again < 2; again++) {
            assert_int_equal(
                http_request_next_parameter(&request, "n", &position, value, sizeof(value)),
                HTTP_PARAMETER_ABSENT);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_found_without_regard_to_case),
        cmocka_unit_test(an_empty_header_differs_from_an_absent_one),
        cmocka_unit_test(percent_encodings_are_decoded),
        cmocka_unit_test(a_plain_nul_is_not_decoded),
        cmocka_unit_test(only_the_empty_text_fits_in_one_byte),
        cmocka_unit_test(parameters_are_found_and_decoded),
        cmocka_unit_test(parameters_that_cannot_be_read_are_not_taken_for_absent),
        cmocka_unit_test(parameters_that_repeat_are_found_one_by_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
