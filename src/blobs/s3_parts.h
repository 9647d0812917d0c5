#pragma once

#include <stdint.h>

/*
 * How large the parts of a multipart upload are. S3 takes 10,000 parts of 5 MiB to 5 GiB, of which
 * the last may be smaller. Nobody knows how long a blob will be when it begins, and a part is held
 * in memory until it is sent: so parts begin small, and grow slowly enough that 10,000 of them hold
 * the largest blob. Pure.
 */
enum { S3_PARTS_MAX = 10000 };

#define S3_PART_MIN_BYTES (UINT64_C(5) << 20)
#define S3_PART_MAX_BYTES (UINT64_C(5) << 30)
#define S3_OBJECT_MAX_BYTES (UINT64_C(5) << 40)

/* The size of the part with that number, 1 to S3_PARTS_MAX, where blobs have up to
 * largest_blob_bytes, at most S3_OBJECT_MAX_BYTES. */
uint64_t s3_parts_size(uint64_t largest_blob_bytes, unsigned number);

/* The size of the last, largest one. */
uint64_t s3_parts_largest(uint64_t largest_blob_bytes);

/* How many bytes the parts from 1 to `count` have together. */
uint64_t s3_parts_total(uint64_t largest_blob_bytes, unsigned count);
