#pragma once

#include "base/arena.h"
#include "registry/manifest_parser.h"
#include "registry/registry.h"

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
 * name stands twice, or differs from the specification's in case (member_names.h).
 */
MUST_USE enum error_code platforms_find(struct registry *registry, const struct manifest *manifest,
                                        struct str content, struct arena *arena,
                                        struct str *platforms_out, struct error *err);
