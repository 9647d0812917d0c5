#include "http/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct pace pace_of(int64_t head_ms, int64_t idle_ms, int64_t stall_ms)
{
    const struct http_limits limits = {
        .head_timeout_ms = head_ms, .idle_timeout_ms = idle_ms, .stall_timeout_ms = stall_ms};
    struct pace pace;

    pace_init(&pace, &limits);
    return pace;
}

static void the_shortest_timeout_sets_the_pace(void **state)
{
    static const struct {
        int64_t head_ms;
        int64_t idle_ms;
        int64_t stall_ms;
        int wait_ms;
    } rows[] = {
        {800, 1600, 2400, 100},
        {2400, 800, 1600, 100},
        {1600, 2400, 800, 100},
        {1, 1, 1, 20},
        {3600000, 3600000, 3600000, 1000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct pace pace = pace_of(rows[i].head_ms, rows[i].idle_ms, rows[i].stall_ms);

        assert_int_equal(pace_wait_ms(&pace), rows[i].wait_ms);
    }
}

static void it_is_due_once_in_an_interval(void **state)
{
    struct pace pace = pace_of(8000, 8000, 8000);

    (void)state;
    assert_true(pace_is_due(&pace, 5000));
    assert_false(pace_is_due(&pace, 5000));
    assert_false(pace_is_due(&pace, 5999));
    assert_true(pace_is_due(&pace, 6000));
}

static void who_hurries_it_does_so_once(void **state)
{
    struct pace pace = pace_of(8000, 8000, 8000);

    (void)state;
    assert_true(pace_is_due(&pace, 5000));
    pace_hurry(&pace, 5100);
    assert_int_equal(pace_wait_ms(&pace), 25);
    assert_false(pace_is_due(&pace, 5124));
    assert_true(pace_is_due(&pace, 5125));
    assert_int_equal(pace_wait_ms(&pace), 1000);
    pace_hurry(&pace, 6120); /* it is due at 6125 anyway */
    assert_true(pace_is_due(&pace, 6125));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shortest_timeout_sets_the_pace),
        cmocka_unit_test(it_is_due_once_in_an_interval),
        cmocka_unit_test(who_hurries_it_does_so_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
