#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/error.h"
#include "blobs/folder_sweep.h"
#include "blobs/s3_objects.h"
#include "metadata/metadata.h"

/*
 * As folder_sweep, for blobs in S3: the metadata say which objects may go, and that they have gone.
 * Nothing is listed in the bucket.
 */
struct bucket_sweep {
    struct metadata *metadata;
    const struct s3_objects *objects; /* NULL: only looks */
    int64_t untouched_since_ms;       /* wall-clock times */
    int64_t now_ms;
    void *context;

    /* One was found, or removed; or it could not be, as S3 says in `refusal` (else NULL). */
    void (*tell)(void *context, const struct old_blob *blob, const struct error *refusal);

    /* Out. */
    uint64_t kept;    /* of those removed: their bytes are still there, in a bucket with versions */
    uint64_t refused; /* S3 may not remove them: the next sweep tries again */
};

/*
 * Locations go first, then objects: an object is removed only when no blob is there, nor ever will
 * be. What S3 refuses to remove is told and counted; where it refuses a hundred in turn, the sweep
 * ends with ERROR_DENIED. ERROR_UNAVAILABLE, ERROR_NOT_FOUND: S3 cannot be asked.
 */
MUST_USE enum error_code bucket_sweep_run(struct bucket_sweep *sweep, struct error *err);
