#include "settings/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct size_case {
    const char *text;
    uint64_t bytes;
};

static void sizes_are_bytes_or_powers_of_1024(void **state)
{
    static const struct size_case cases[] = {
        {"0", 0},
        {"1", 1},
        {"65536", 65536},
        {"12B", 12},
        {"64K", 65536},
        {"64k", 65536},
        {"64KiB", 65536},
        {"4MiB", 4194304},
        {"4m", 4194304},
        {"2GiB", UINT64_C(2147483648)},
        {"1T", UINT64_C(1099511627776)},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t bytes = UINT64_MAX;

        assert_true(size_parse(str_from(cases[i].text), &bytes));
        assert_int_equal(bytes, cases[i].bytes);
    }
}

static void wrong_sizes_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "K",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1 K",
        "1KB",
        "1.5M",
        "1KK",
        "0x10",
        "1e3",
        "99999999999999999999",
        "18446744073709551615K",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t bytes = 42;

        assert_false(size_parse(str_from(cases[i]), &bytes));
    }
}

static void durations_are_milliseconds_by_unit(void **state)
{
    static const struct size_case cases[] = {
        {"500ms", 500},    {"75s", 75000}, {"5m", 300000}, {"24h", 86400000},
        {"7d", 604800000}, {"0", 0},       {"0s", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t ms = UINT64_MAX;

        assert_true(duration_parse(str_from(cases[i].text), &ms));
        assert_int_equal(ms, cases[i].bytes);
    }
}

static void durations_without_a_unit_are_refused(void **state)
{
    static const char *const cases[] = {"",     "75",  "s",  "1M",   "1 s",
                                        "1.5h", "-1s", "1S", "1sec", "18446744073709551615d"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t ms = 42;

        assert_false(duration_parse(str_from(cases[i]), &ms));
    }
}

static void formatting_takes_the_largest_unit_without_fraction(void **state)
{
    char text[QUANTITY_TEXT_BYTES];

    (void)state;
    size_format(0, text);
    assert_string_equal(text, "0");
    size_format(1000, text);
    assert_string_equal(text, "1000");
    size_format(1536, text);
    assert_string_equal(text, "1536");
    size_format(65536, text);
    assert_string_equal(text, "64KiB");
    size_format(UINT64_C(3) << 40, text);
    assert_string_equal(text, "3TiB");
    duration_format(1500, text);
    assert_string_equal(text, "1500ms");
    duration_format(90000, text);
    assert_string_equal(text, "90s");
    duration_format(86400000, text);
    assert_string_equal(text, "1d");
    duration_format(UINT64_MAX, text);
    assert_string_equal(text, "18446744073709551615ms");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_bytes_or_powers_of_1024),
        cmocka_unit_test(wrong_sizes_are_refused),
        cmocka_unit_test(durations_are_milliseconds_by_unit),
        cmocka_unit_test(durations_without_a_unit_are_refused),
        cmocka_unit_test(formatting_takes_the_largest_unit_without_fraction),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
