#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "blobs/s3_objects.h"
#include "settings/schema.h"

/* storage.s3.*: the bucket that blobs are in, and how it is used. */
struct s3_settings {
    const char *bucket; /* NULL: blobs are in the data folder */
    const char *region;
    const char *endpoint;        /* NULL: AWS's */
    const char *public_endpoint; /* NULL: the endpoint */
    const char *prefix;          /* NULL: none */
    bool path_style;
    bool redirect;
    int64_t link_lifetime_ms;
    struct s3_style style; /* of objects */
    uint64_t largest_blob_bytes;
    uint64_t upload_memory_bytes; /* of all uploads together; at least two of the largest parts */
    unsigned upload_parts;        /* of one upload, on their way at once */
    unsigned connections;         /* threads that send parts */
    size_t downloads;
    int64_t timeout_ms;
    int64_t retry_time_ms;
};

#define S3_LARGEST_BLOB_KEY "storage.s3.largest_blob"

extern const struct settings_table s3_settings_table;
