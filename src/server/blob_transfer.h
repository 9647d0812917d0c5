#pragma once

#include <stdint.h>

#include "base/attributes.h"
#include "base/error.h"
#include "blobs/blob_store.h"
#include "metadata/metadata.h"

/* What has been done so far. */
struct blob_transfer_count {
    uint64_t copied;
    uint64_t copied_bytes;
    uint64_t present; /* copied earlier */
    uint64_t damaged; /* or missing */
};

/* Copies the blobs that manifests name from one registry's store to another's. */
struct blob_transfer {
    struct metadata *from_metadata;
    struct blob_store *from;
    struct metadata *to_metadata; /* where they lie, if the store wants to have that known */
    struct blob_store *to;
    unsigned threads; /* so many blobs at once */
    void *context;

    /* Both on the thread of blob_transfer_run: every second, and of each one that is not copied, as
     * its bytes are not those of its digest, or are not there. */
    void (*tell)(void *context, const struct blob_transfer_count *count);
    void (*tell_damaged)(void *context, const struct digest *digest, const char *reason);
};

/*
 * Hashes what it reads: no other bytes come to the destination than those of the digest. What is
 * there already is not read. ERROR_UNAVAILABLE, ERROR_NO_SPACE: the rest is left for the next time.
 */
MUST_USE enum error_code blob_transfer_run(const struct blob_transfer *transfer,
                                           struct blob_transfer_count *count_out,
                                           struct error *err);
