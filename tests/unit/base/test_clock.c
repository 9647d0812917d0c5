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
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t parsed = -1;

        clock_format_iso(cases[i].wall_ms, text);
        assert_string_equal(text, cases[i].text);
        assert_true(clock_parse_iso(str_from(text), &parsed));
        assert_int_equal(parsed, cases[i].wall_ms);
    }
}

static void other_forms_are_no_time(void **state)
{
    static const char *const texts[] = {
        "",
        "2015-05-07T15:49:51Z",
        "2015-05-07T15:49:51.230",
        "2015-05-07 15:49:51.230Z",
        "2015-05-07T15:49:51.230Zx",
        "1969-05-07T15:49:51.230Z",
        "2015-13-07T15:49:51.230Z",
        "2015-00-07T15:49:51.230Z",
        "2015-05-00T15:49:51.230Z",
        "2015-05-32T15:49:51.230Z",
        "2015-05-07T24:49:51.230Z",
        "2015-05-07T15:60:51.230Z",
        "2015-05-07T15:49:61.230Z",
        "2015-05-07T15:49:5x.230Z",
    };
    int64_t parsed = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_false(clock_parse_iso(str_from(texts[i]), &parsed));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iso_times_have_milliseconds),
        cmocka_unit_test(other_forms_are_no_time),
        cmocka_unit_test(the_machines_clock_goes_forward),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
