#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/attributes.h"
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

/*
 * Whether a manifest, all of whose references are there, is what a client runs: an image with
 * layers of an image or none, or an index with an entry in the repository that is one. Caches,
 * signatures, SBOMs, attestations, charts and whatever else states an artifact type are not, though
 * some of them have an image's config, and BuildKit's cache is an index of an image's layers.
 */
MUST_USE enum error_code runnable_find(struct registry *registry,
                                       const struct repository *repository,
                                       const struct manifest *manifest, bool *is_runnable_out,
                                       struct error *err);

enum {
    PLATFORMS_MAX_BYTES = 4096,                     /* of all together; those beyond are left out */
    PLATFORM_CONFIG_MAX_BYTES = 1024 * 1024,        /* a larger config is not looked into, nor… */
    PLATFORM_CONFIG_MEMORY_BYTES = 8 * 1024 * 1024, /* …one that takes more once it is parsed */
};

/* Appends a config; nothing of one that is not looked into. Fails as blob_reader_read_all. */
MUST_USE enum error_code platforms_read_config(struct registry *registry,
                                               const struct digest *digest, struct strbuf *config,
                                               struct error *err);

/*
 * The platforms of an image (image-spec "config.md", from its config) or of an index (image-spec
 * "image-index.md", from its entries), one a line, each once: `linux/arm64/v8`. Empty if nothing
 * tells, or what tells makes no sense: that is no reason to refuse a push. Fails if the config
 * cannot be read, and with ERROR_INVALID about MANIFEST if others might read it in another way: a
 * name stands twice, or differs from the specification's in case (descriptor.h).
 */
MUST_USE enum error_code platforms_find(struct registry *registry, const struct manifest *manifest,
                                        struct str content, struct arena *arena,
                                        struct str *platforms_out, struct error *err);
