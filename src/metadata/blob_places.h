#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/str.h"
#include "metadata/metadata.h"

/* Where a blob is, in a store that leaves blobs where they landed. */
struct blob_place_record {
    struct digest digest;
    struct str location; /* the store's own name of it */
    uint64_t size_bytes;
    int64_t created_ms;
};

/* Durable. If the digest has a place already, that stays: this is success too. */
MUST_USE enum error_code metadata_add_blob_place(struct metadata *metadata,
                                                 const struct blob_place_record *place,
                                                 struct error *err);

/* The location is in the arena. ERROR_NOT_FOUND about BLOB. */
MUST_USE enum error_code metadata_find_blob_place(struct metadata *metadata,
                                                  const struct digest *digest, struct arena *arena,
                                                  struct blob_place_record *place_out,
                                                  struct error *err);
