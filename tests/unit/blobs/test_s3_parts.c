#include "blobs/s3_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MIB (UINT64_C(1) << 20)
#define GB UINT64_C(1000000000)

static const uint64_t largest_blobs[] = {
    1,
    S3_PART_MIN_BYTES,
    52 * GB,
    S3_PARTS_MAX *S3_PART_MIN_BYTES,
    S3_PARTS_MAX *S3_PART_MIN_BYTES + 1,
    100 * GB,
    1000 * GB,
    S3_OBJECT_MAX_BYTES - 1,
    S3_OBJECT_MAX_BYTES,
};

enum { LARGEST_BLOBS = sizeof(largest_blobs) / sizeof(largest_blobs[0]) };

static void all_parts_together_hold_the_largest_blob(void **state)
{
    (void)state;
    for (size_t i = 0; i < LARGEST_BLOBS; i++) {
        uint64_t total = 0;

        for (unsigned number = 1; number <= S3_PARTS_MAX; number++) {
            total += s3_parts_size(largest_blobs[i], number);
            assert_int_equal(s3_parts_total(largest_blobs[i], number), total);
        }
        assert_true(total >= largest_blobs[i]);
        assert_int_equal(s3_parts_total(largest_blobs[i], 0), 0);
    }
}

static void sizes_are_what_s3_takes_and_never_shrink(void **state)
{
    (void)state;
    for (size_t i = 0; i < LARGEST_BLOBS; i++) {
        uint64_t before = S3_PART_MIN_BYTES;

        for (unsigned number = 1; number <= S3_PARTS_MAX; number++) {
            const uint64_t size = s3_parts_size(largest_blobs[i], number);

            assert_true(size >= before);
            assert_true(size <= S3_PART_MAX_BYTES);
            before = size;
        }
        assert_int_equal(s3_parts_largest(largest_blobs[i]), before);
    }
}

/* What docs and settings promise of memory. */
static void parts_begin_small_and_stay_small_by_default(void **state)
{
    (void)state;
    for (unsigned number = 1; number <= 500; number++) {
        assert_int_equal(s3_parts_size(100 * GB, number), 5 * MIB);
    }
    assert_true(s3_parts_size(100 * GB, 501) > 5 * MIB);
    assert_true(s3_parts_largest(100 * GB) < 15 * MIB);
    assert_true(s3_parts_largest(S3_OBJECT_MAX_BYTES) < 1100 * MIB);
    assert_int_equal(s3_parts_largest(50 * GB), 5 * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_parts_together_hold_the_largest_blob),
        cmocka_unit_test(sizes_are_what_s3_takes_and_never_shrink),
        cmocka_unit_test(parts_begin_small_and_stay_small_by_default),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
