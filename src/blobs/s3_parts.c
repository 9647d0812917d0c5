#include "blobs/s3_parts.h"

#include <assert.h>

enum {
    PARTS_PER_STEP = 500, /* have the same size */
    STEPS = S3_PARTS_MAX / PARTS_PER_STEP,
    ROUNDING_BYTES = 64 * 1024,
};

static uint64_t step_bytes(uint64_t largest_blob_bytes);

uint64_t s3_parts_size(uint64_t largest_blob_bytes, unsigned number)
{
    assert(number >= 1);
    assert(number <= S3_PARTS_MAX);
    return S3_PART_MIN_BYTES + step_bytes(largest_blob_bytes) * ((number - 1) / PARTS_PER_STEP);
}

/*
 * By how much parts grow at each step. All parts together have 10,000 times the smallest size, and
 * this 0 + 1 + … + 19 times for the 500 parts of a step.
 */
static uint64_t step_bytes(uint64_t largest_blob_bytes)
{
    const uint64_t flat_bytes = S3_PARTS_MAX * S3_PART_MIN_BYTES;
    const uint64_t weight = (uint64_t)PARTS_PER_STEP * STEPS * (STEPS - 1) / 2;
    uint64_t step = 0;

    assert(largest_blob_bytes <= S3_OBJECT_MAX_BYTES);
    if (largest_blob_bytes > flat_bytes) {
        step = (largest_blob_bytes - flat_bytes + weight - 1) / weight;
    }
    return (step + ROUNDING_BYTES - 1) / ROUNDING_BYTES * ROUNDING_BYTES;
}

uint64_t s3_parts_largest(uint64_t largest_blob_bytes)
{
    return s3_parts_size(largest_blob_bytes, S3_PARTS_MAX);
}

uint64_t s3_parts_total(uint64_t largest_blob_bytes, unsigned count)
{
    const uint64_t whole_steps = count / PARTS_PER_STEP;
    const uint64_t rest = count % PARTS_PER_STEP;
    const uint64_t growths =
        PARTS_PER_STEP * (whole_steps * (whole_steps > 0 ? whole_steps - 1 : 0) / 2) +
        rest * whole_steps;

    assert(count <= S3_PARTS_MAX);
    return count * S3_PART_MIN_BYTES + growths * step_bytes(largest_blob_bytes);
}
