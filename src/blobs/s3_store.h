#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/metrics.h"
#include "blobs/blob_store.h"
#include "blobs/s3_settings.h"

/*
 * Blobs as objects of a bucket, for any number of instances. An upload goes to S3 in parts while it
 * arrives, and stays where it landed: that is the blob's location. Nothing is read back but the end
 * of an upload that goes on in another request, nothing is copied, listed or deleted. Each object
 * has a key of its own, whatever is in it.
 */
struct s3_store_config {
    struct s3_client *client; /* owned from here on, as the store's life ends after all requests */
    const struct clock *clock;
    struct s3_settings settings; /* their texts are borrowed */
    int64_t memory_wait_ms;      /* so long an upload waits for memory */
    struct metrics *metrics;     /* NULL: nothing is counted */
};

enum { S3_PREFIX_MAX_BYTES = 255 };

/* Asks S3 nothing. */
MUST_USE enum error_code s3_store_new(const struct s3_store_config *config,
                                      struct blob_store **store_out, struct error *err);
