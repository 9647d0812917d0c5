#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void iso_times_have_milliseconds(void **state)
{
    static const struct {
        int64_t wall_ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1431013791230, "2015-05-07T15:49:51.230Z"},
        {1709251199999, "2024-02-29T23:59:59.999Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
    };
    char text[CLOCK_ISO_BYTES];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        clock_format_iso(cases[i].wall_ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void written_times_are_read_again(void **state)
{
    static const int64_t times[] = {0, 951782399999, 951868800000, 1431013791230, 253402300799999};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        char text[CLOCK_ISO_BYTES];
        int64_t wall_ms = -1;

        clock_format_iso(times[i], text);
        assert_true(clock_parse_iso(str_from(text), &wall_ms));
        assert_int_equal(wall_ms, times[i]);
    }
}

static void fractions_of_a_second_may_have_any_length(void **state)
{
    static const struct {
        const char *text;
        int64_t wall_ms;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2015-05-07T15:49:51.23Z", INT64_C(1431013791230)},
        {"2015-05-07T15:49:51.230999999Z", INT64_C(1431013791230)},
        {"2000-02-29T23:59:59Z", INT64_C(951868799000)},
        {"2026-12-31T00:00:00Z", INT64_C(1798675200000)},
        {"2100-03-01T00:00:00.5Z", INT64_C(4107542400500)},
        {"9999-12-31T23:59:59Z", INT64_C(253402300799000)},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t wall_ms = -1;

        assert_true(clock_parse_iso(str_from(cases[i].text), &wall_ms));
        assert_true(wall_ms == cases[i].wall_ms);
    }
}

static void other_times_are_not_read(void **state)
{
    static const char *const refused[] = {
        "",
        "2015-05-07",
        "2015-05-07T15:49:51",
        "2015-05-07T15:49:51.Z",
        "2015-05-07T15:49:51ZZ",
        "2015-05-07T15:49:-1Z",
        "2015-05-07T15:49:51.230",
        "2015-05-07T15:49:51.230Zx",
        "2015-05-07T15:49:51.230z",
        "2015-05-07 15:49:51.230Z",
        "2015-05-07T15:49:51+00:00",
        "+015-05-07T15:49:51.230Z",
        "1969-12-31T23:59:59.999Z",
        "2015-00-07T15:49:51.230Z",
        "2015-13-07T15:49:51.230Z",
        "2015-05-00T15:49:51.230Z",
        "2015-02-29T15:49:51.230Z",
        "2015-04-31T15:49:51.230Z",
        "2015-05-07T15:49:60.230Z",
        "2015-05-32T15:49:51.230Z",
        "2015-05-07T24:49:51.230Z",
        "2015-05-07T15:60:51.230Z",
        "2015-05-07T15:49:61.230Z",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        int64_t wall_ms = -1;

        assert_false(clock_parse_iso(str_from(refused[i]), &wall_ms));
        assert_int_equal(wall_ms, -1);
    }
}

static void the_machines_clock_goes_forward(void **state)
{
    const int64_t monotonic = clock_monotonic_ms(&clock_system);
    const int64_t elapsed = clock_elapsed_us();

    (void)state;
    assert_true(clock_monotonic_ms(&clock_system) >= monotonic);
    assert_true(clock_elapsed_us() >= elapsed);
    assert_true(clock_wall_ms(&clock_system) > 1577836800000); /* 2020 */
}

static void milliseconds_become_seconds_and_nanoseconds(void **state)
{
    static const struct {
        int64_t ms;
        struct timespec time;
    } rows[] = {
        {0, {0}},
        {999, {.tv_nsec = 999000000}},
        {1000, {.tv_sec = 1}},
        {1431013791230, {.tv_sec = 1431013791, .tv_nsec = 230000000}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct timespec time = clock_timespec(rows[i].ms);

        assert_int_equal(time.tv_sec, rows[i].time.tv_sec);
        assert_int_equal(time.tv_nsec, rows[i].time.tv_nsec);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iso_times_have_milliseconds),
        cmocka_unit_test(written_times_are_read_again),
        cmocka_unit_test(fractions_of_a_second_may_have_any_length),
        cmocka_unit_test(other_times_are_not_read),
        cmocka_unit_test(milliseconds_become_seconds_and_nanoseconds),
        cmocka_unit_test(the_machines_clock_goes_forward),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
