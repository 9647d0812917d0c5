#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/digest.h"
#include "base/error.h"

/* A blob that nobody has pushed or asked for in a long time, and that no manifest names. */
struct old_blob {
    struct digest digest;
    uint64_t size_bytes;
    int64_t touched_ms;
};

/*
 * Looks through the folder of a filesystem_store, which may be in use, for blobs that may go. What
 * manifests name is for others to say.
 */
struct folder_sweep {
    const char *path;
    int64_t untouched_since_ms; /* wall-clock time */
    bool removes;               /* or only looks */
    void *context;

    enum error_code (*is_named)(void *context, const struct digest *digest, bool *is_named_out,
                                struct error *err);

    /* Sets gone_out[i] for those that no manifest names, nor ever may; durably. */
    enum error_code (*mark)(void *context, const struct digest *digests, size_t count,
                            bool *gone_out, struct error *err);

    /* One was found, or removed. */
    void (*tell)(void *context, const struct old_blob *blob);
};

/*
 * Marks come before bytes go, under the lock that a publishing store takes: so a blob is marked
 * only while nobody publishes it, and nobody publishes it between its mark and its end.
 * ERROR_INVALID if there is no such folder.
 */
MUST_USE enum error_code folder_sweep_run(const struct folder_sweep *sweep, struct error *err);
