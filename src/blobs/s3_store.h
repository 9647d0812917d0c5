#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/clock.h"
#include "base/error.h"
#include "blobs/blob_index.h"
#include "blobs/blob_store.h"
#include "blobs/s3_objects.h"

/*
 * Blobs as objects of a bucket, for any number of instances. An upload goes to S3 in parts while it
 * arrives, and stays where it landed; the index says which blob that is. Nothing is read back but
 * the end of an upload that goes on in another request, nothing is copied, listed or deleted. Each
 * object has a key of its own, whatever is in it.
 */
struct s3_store_config {
    struct s3_client *client; /* owned from here on, as the store's life ends after all requests */
    struct s3_style style;
    struct blob_index index; /* its context is borrowed */
    const struct clock *clock;
    const char *prefix; /* of all keys; borrowed; NULL: none */
    uint64_t largest_blob_bytes;
    uint64_t memory_bytes;    /* of all uploads together; at least one largest part */
    int64_t memory_wait_ms;   /* so long an upload waits for some of that */
    unsigned senders;         /* threads that send parts */
    unsigned parts_in_flight; /* of one upload */
    bool redirects;           /* clients fetch blobs from S3 themselves */
    unsigned link_lifetime_s;
};

enum { S3_PREFIX_MAX_BYTES = 255 };

/* Asks S3 nothing. */
MUST_USE enum error_code s3_store_new(const struct s3_store_config *config,
                                      struct blob_store **store_out, struct error *err);
