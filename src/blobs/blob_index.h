#pragma once

#include <stdint.h>

#include "base/attributes.h"
#include "base/digest.h"
#include "base/error.h"
#include "blobs/blob_store.h"

struct strbuf;

/* Where a blob is, in a store that leaves blobs where they landed. */
struct blob_location {
    char key[BLOB_KEY_BYTES];
    uint64_t size_bytes;
};

/*
 * What such a store knows of its blobs: the metadata, behind functions, because blobs/ stands
 * beside metadata/ and not above it. May be called by any thread, and block.
 */
struct blob_index {
    void *context;

    /* ERROR_NOT_FOUND about BLOB. */
    enum error_code (*find)(void *context, const struct digest *digest,
                            struct blob_location *location_out, struct error *err);

    /* The blob counts as pushed now, so that nobody sweeps it soon. ERROR_NOT_FOUND about BLOB if
     * it has no location (any more). */
    enum error_code (*touch)(void *context, const struct digest *digest, struct error *err);

    /* Durable when it returns. The first location of a digest stays: that there is one is success.
     * ERROR_NOT_FOUND about UPLOAD: a sweep has had this location, and its bytes may be gone. */
    enum error_code (*add)(void *context, const struct digest *digest,
                           const struct blob_location *location, struct error *err);

    /* Sets *tail to what was saved with the upload when it rested with so many bytes: to nothing,
     * if another or none was. */
    enum error_code (*read_tail)(void *context, const struct blob_upload *upload,
                                 struct strbuf *tail, struct error *err);
};
