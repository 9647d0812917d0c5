#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/str.h"
#include "metadata/blob_places.h"
#include "metadata/metadata.h"

/* What the metadata say of a blob whose bytes may or may not be there. */
enum blob_standing {
    BLOB_UNNAMED = 0, /* no manifest names it, or not yet */
    BLOB_NAMED,       /* a manifest does, and always will */
    BLOB_SWEPT,       /* it is gone, whether its bytes are or not, until it is pushed again */
};

MUST_USE enum error_code metadata_find_blob_standing(struct metadata *metadata,
                                                     const struct digest *digest,
                                                     enum blob_standing *standing_out,
                                                     struct error *err);

/* Blobs that may go. */
struct blob_sweep {
    const struct digest *digests;
    size_t count;
    int64_t swept_ms;
};

/*
 * Sets swept_out[i] for each blob that no manifest names, durably: from then on a push that names
 * it is refused (ERROR_NOT_FOUND about REFERENCED), whatever it saw before.
 */
MUST_USE enum error_code metadata_sweep_blobs(struct metadata *metadata,
                                              const struct blob_sweep *sweep, bool *swept_out,
                                              struct error *err);

/* Places of blobs that may go, unless they were touched since. */
struct place_sweep {
    struct blob_place_list *list; /* keeps those that were swept */
    int64_t untouched_since_ms;
    int64_t swept_ms;
};

/*
 * As metadata_sweep_blobs, for a store that leaves blobs where they landed: the blob has no place
 * any more, so that whoever pushes it again uses another one, and what is there is nobody's. Writes
 * down what has to be removed.
 */
MUST_USE enum error_code metadata_sweep_places(struct metadata *metadata,
                                               const struct place_sweep *sweep, struct error *err);

/* Nothing is at that swept place any more. Durable. *is_first_out: nobody has said so before. */
MUST_USE enum error_code metadata_end_swept_place(struct metadata *metadata, struct str location,
                                                  int64_t removed_ms, bool *is_first_out,
                                                  struct error *err);

/* The blob's bytes are there again. Durable; writes nothing if it was not swept. */
MUST_USE enum error_code metadata_revive_blob(struct metadata *metadata,
                                              const struct digest *digest, struct error *err);
