#include "base/free_space.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_clock.h"

enum { A_SECOND_MS = 1000 };

static void disk_with_less_than_the_reserve_is_full(void **state)
{
    struct fake_clock clock;
    struct free_space space = {
        .folders = {"/"}, .reserve_bytes = UINT64_MAX, .clock = &clock.clock};
    struct error err = {0};

    (void)state;
    fake_clock_init(&clock);
    assert_int_equal(free_space_check(&space, &err), ERROR_NO_SPACE);
    assert_non_null(strstr(err.message, "limits.free_space"));
}

static void disk_is_looked_at_once_a_second(void **state)
{
    struct fake_clock clock;
    struct free_space space = {.folders = {"/"}, .reserve_bytes = 1, .clock = &clock.clock};

    (void)state;
    fake_clock_init(&clock);
    assert_int_equal(free_space_check(&space, NULL), OK);
    space.reserve_bytes = UINT64_MAX;
    fake_clock_advance(&clock, A_SECOND_MS - 1);
    assert_int_equal(free_space_check(&space, NULL), OK);
    fake_clock_advance(&clock, 1);
    assert_int_equal(free_space_check(&space, NULL), ERROR_NO_SPACE);
    space.reserve_bytes = 1;
    fake_clock_advance(&clock, A_SECOND_MS);
    assert_int_equal(free_space_check(&space, NULL), OK);
}

static void second_disk_counts_too(void **state)
{
    struct fake_clock clock;
    struct free_space space = {
        .folders = {"/no such folder", "/"}, .reserve_bytes = UINT64_MAX, .clock = &clock.clock};

    (void)state;
    fake_clock_init(&clock);
    assert_int_equal(free_space_check(&space, NULL), ERROR_NO_SPACE);
}

static void what_cannot_be_looked_at_is_not_full(void **state)
{
    struct fake_clock clock;
    struct free_space space = {
        .folders = {"/no such folder"}, .reserve_bytes = UINT64_MAX, .clock = &clock.clock};

    (void)state;
    fake_clock_init(&clock);
    assert_int_equal(free_space_check(&space, NULL), OK);
}

static void nobody_has_to_keep_a_reserve(void **state)
{
    struct free_space space = {.folders = {"/"}};

    (void)state;
    assert_int_equal(free_space_check(NULL, NULL), OK);
    assert_int_equal(free_space_check(&space, NULL), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disk_with_less_than_the_reserve_is_full),
        cmocka_unit_test(disk_is_looked_at_once_a_second),
        cmocka_unit_test(second_disk_counts_too),
        cmocka_unit_test(what_cannot_be_looked_at_is_not_full),
        cmocka_unit_test(nobody_has_to_keep_a_reserve),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
