#include "http/range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attributes.h"

static const struct {
    const char *value;
    uint64_t size_bytes;
    enum http_range_result result;
    uint64_t offset, length; /* of a part */
} ranges[] = {
    {"bytes=0-0", 10, HTTP_RANGE_PART, 0, 1},
    {"bytes=0-9", 10, HTTP_RANGE_PART, 0, 10},
    {"bytes=2-5", 10, HTTP_RANGE_PART, 2, 4},
    {"BYTES=2-5", 10, HTTP_RANGE_PART, 2, 4},
    {"bytes=002-0005", 10, HTTP_RANGE_PART, 2, 4},
    {"bytes=9-9", 10, HTTP_RANGE_PART, 9, 1},
    {"bytes=9-", 10, HTTP_RANGE_PART, 9, 1},
    {"bytes=0-", 10, HTTP_RANGE_PART, 0, 10},
    {"bytes=3-", 10, HTTP_RANGE_PART, 3, 7},
    {"bytes=3-10", 10, HTTP_RANGE_PART, 3, 7},
    {"bytes=3-18446744073709551615", 10, HTTP_RANGE_PART, 3, 7},
    {"bytes=3-18446744073709551616", 10, HTTP_RANGE_PART, 3, 7},
    {"bytes=3-99999999999999999999999999", 10, HTTP_RANGE_PART, 3, 7},
    {"bytes=-1", 10, HTTP_RANGE_PART, 9, 1},
    {"bytes=-10", 10, HTTP_RANGE_PART, 0, 10},
    {"bytes=-11", 10, HTTP_RANGE_PART, 0, 10},
    {"bytes=-99999999999999999999999999", 10, HTTP_RANGE_PART, 0, 10},
    {"bytes=0-", UINT64_MAX, HTTP_RANGE_PART, 0, UINT64_MAX},
    {"bytes=5-18446744073709551614", UINT64_MAX, HTTP_RANGE_PART, 5, UINT64_MAX - 5},
    {"bytes=10-", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=10-20", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=99999999999999999999999999-", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=18446744073709551615-", UINT64_MAX, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=-0", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=0-", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=0-0", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=-0", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    {"bytes=-5", 0, HTTP_RANGE_WHOLE, 0, 0},
    {"", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=-", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=5", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=5-2", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=20-15", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=0-1,4-5", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=-1,-2", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=0-1,", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=--1", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=1--", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=+1-2", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=1-+2", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=a-b", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=0x1-2", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes=1-2x", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes= 1-2", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes =1-2", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"bytes 1-2", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"items=1-2", 10, HTTP_RANGE_WHOLE, 0, 0},
    {"1-2", 10, HTTP_RANGE_WHOLE, 0, 0},
};

static void ranges_are_read_against_the_size(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        uint64_t offset = 77;
        uint64_t length = 77;
        const bool is_part = ranges[i].result == HTTP_RANGE_PART;

        if (http_range_parse(str_from(ranges[i].value), ranges[i].size_bytes, &offset, &length) !=
            ranges[i].result) {
            fail_msg("%s", ranges[i].value);
        }
        assert_true(offset == (is_part ? ranges[i].offset : 77));
        assert_true(length == (is_part ? ranges[i].length : 77));
    }
}

static void an_absent_range_is_the_whole(void **state)
{
    uint64_t offset = 0;
    uint64_t length = 0;

    (void)state;
    assert_int_equal(http_range_parse((struct str){0}, 10, &offset, &length), HTTP_RANGE_WHOLE);
}

static void good_content_ranges_are_read(void **state)
{
    static const struct {
        const char *value;
        uint64_t first, last;
    } cases[] = {
        {"0-0", 0, 0},
        {"0-99", 0, 99},
        {"100-199", 100, 199},
        {"bytes 0-99/*", 0, 99},
        {"Bytes 5-9/*", 5, 9},
        {"bytes 5-9/10", 5, 9},
        {"bytes 5-9/1000", 5, 9},
        {"0-18446744073709551615", 0, UINT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t first = 77;
        uint64_t last = 77;

        assert_true(http_content_range_parse(str_from(cases[i].value), &first, &last));
        assert_true(first == cases[i].first);
        assert_true(last == cases[i].last);
    }
}

static void bad_content_ranges_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "-",
        "5",
        "5-",
        "-5",
        "5-4",
        "a-b",
        "0-9/*",
        "0-9/10",
        " 0-9",
        "0-9 ",
        "0 - 9",
        "+0-9",
        "0--9",
        "0-+9",
        "0-9-10",
        "0-9,10-19",
        "bytes=0-9",
        "bytes 0-9",
        "bytes 0-9/",
        "bytes 0-9/9",
        "bytes 9-0/*",
        "bytes */10",
        "bytes  0-9/*",
        "bytes 0-9/a",
        "bytes 0-9/**",
        "bytes 0/1-9",
        "bytes 0-/9",
        "items 0-9/*",
        "bytes",
        "0-18446744073709551616",
        "18446744073709551616-18446744073709551617",
        "bytes 0-9/18446744073709551616",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint64_t first = 77;
        uint64_t last = 77;

        if (http_content_range_parse(str_from(bad[i]), &first, &last)) {
            fail_msg("accepted: %s", bad[i]);
        }
        assert_true(first == 77);
        assert_true(last == 77);
    }
    assert_false(http_content_range_parse((struct str){0}, &(uint64_t){0}, &(uint64_t){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_read_against_the_size),
        cmocka_unit_test(an_absent_range_is_the_whole),
        cmocka_unit_test(good_content_ranges_are_read),
        cmocka_unit_test(bad_content_ranges_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
