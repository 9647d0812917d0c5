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
 * index as a manifest of this repository or as a blob. Non-distributable layers and the subject
 * need not be there. ERROR_NOT_FOUND about REFERENCED (missing_out says what), ERROR_INVALID about
 * MANIFEST for a wrong size.
 */
MUST_USE enum error_code references_check(struct registry *registry,
                                          const struct repository *repository,
                                          const struct manifest *manifest, struct arena *arena,
                                          struct missing_references *missing_out,
                                          struct error *err);
