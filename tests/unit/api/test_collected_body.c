#include "api/collected_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attributes.h"

enum {
    LARGEST = 4 * 1024 * 1024,
    QUARTER = BODY_MEMORY_BYTES / BODY_OWNERS,
    LARGE_ONES = QUARTER / LARGEST,
    SMALL_ONES = QUARTER / BODY_SMALL_BYTES,
};

static struct body_memory memory;

static int set_up(void **state)
{
    (void)state;
    body_memory_init(&memory, LARGEST);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    body_memory_release(&memory);
    return 0;
}

/* How many of `count` bodies of that size somebody gets in. */
static size_t take(struct body_share *shares, size_t count, const char *owner, size_t bytes)
{
    size_t taken = 0;

    for (size_t i = 0; i < count; i++) {
        shares[i] = (struct body_share){.owner = str_from(owner)};
        taken += body_memory_take(&memory, &shares[i], bytes);
    }
    return taken;
}

static void give(struct body_share *shares, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        body_memory_give(&memory, &shares[i]);
    }
}

static void nobody_has_more_than_a_quarter(void **state)
{
    static struct body_share mine[LARGE_ONES + 2];
    struct body_share other = {.owner = str_from("other")};

    (void)state;
    assert_int_equal(take(mine, ARRAY_LEN(mine), "me", LARGEST), LARGE_ONES);
    assert_false(body_memory_take(&memory, &mine[ARRAY_LEN(mine) - 1], 1));
    assert_true(body_memory_take(&memory, &other, LARGEST));
    body_memory_give(&memory, &other);
    body_memory_give(&memory, &mine[0]);
    assert_true(body_memory_take(&memory, &mine[ARRAY_LEN(mine) - 1], 1));
    give(mine, ARRAY_LEN(mine));
}

static void small_bodies_have_what_large_ones_leave(void **state)
{
    static struct body_share large[4][LARGE_ONES];
    static struct body_share small[SMALL_ONES + 1];

    (void)state;
    assert_int_equal(take(large[0], LARGE_ONES, "a", LARGEST), LARGE_ONES);
    assert_int_equal(take(large[1], LARGE_ONES, "b", LARGEST), LARGE_ONES);
    assert_int_equal(take(large[2], LARGE_ONES, "c", LARGEST), LARGE_ONES);
    assert_int_equal(take(large[3], LARGE_ONES, "d", LARGEST), 0);
    assert_int_equal(take(small, SMALL_ONES + 1, "e", BODY_SMALL_BYTES), SMALL_ONES);
    for (size_t i = 0; i < ARRAY_LEN(large); i++) {
        give(large[i], LARGE_ONES);
    }
    give(small, SMALL_ONES + 1);
}

static void share_grows_and_is_given_back_whole(void **state)
{
    struct body_share share = {.owner = str_from("me")};

    (void)state;
    assert_true(body_memory_take(&memory, &share, 0));
    assert_true(body_memory_take(&memory, &share, BODY_SMALL_BYTES));
    assert_true(body_memory_take(&memory, &share, 10));
    assert_int_equal(share.bytes, BODY_SMALL_BYTES);
    assert_true(body_memory_take(&memory, &share, LARGEST));
    assert_int_equal(memory.left_bytes, BODY_MEMORY_BYTES - LARGEST);
    body_memory_give(&memory, &share);
    body_memory_give(&memory, &share);
    assert_int_equal(memory.left_bytes, BODY_MEMORY_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nobody_has_more_than_a_quarter, set_up, tear_down),
        cmocka_unit_test_setup_teardown(small_bodies_have_what_large_ones_leave, set_up, tear_down),
        cmocka_unit_test_setup_teardown(share_grows_and_is_given_back_whole, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
