#pragma once

#include "base/arena.h"
#include "registry/manifest_parser.h"
#include "registry/reference.h"
#include "registry/registry.h"

enum { REFERENCES_MAX_MISSING = 100 };

/* What of a manifest is not there; in the arena. */
struct missing_references {
    struct digest *digests;
    size_t count; /* at most REFERENCES_MAX_MISSING are told */
};

/*
 * Checks that all a manifest names is there: blobs anywhere, with the size it says; entries of an
 * index as a manifest of this repository, with the size and the media type it says, or as a blob,
 * if they are of no manifest's media type.
 * Non-distributable layers and the subject need not be there, but if they are, what is said of them
 * must be right, too. ERROR_NOT_FOUND about REFERENCED (missing_out says what), ERROR_INVALID about
 * MANIFEST for a wrong size or media type.
 */
MUST_USE enum error_code references_check(struct registry *registry,
                                          const struct repository *repository,
                                          const struct manifest *manifest, struct arena *arena,
                                          struct missing_references *missing_out,
                                          struct error *err);
