#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"
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

/* The blob's bytes are there again. Durable; writes nothing if it was not swept. */
MUST_USE enum error_code metadata_revive_blob(struct metadata *metadata,
                                              const struct digest *digest, struct error *err);
