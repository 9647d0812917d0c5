#pragma once

#include "registry/registry.h"

/* Blobs belong to no repository: who may pull may pull each of them. ERROR_NOT_FOUND about BLOB. */
MUST_USE enum error_code registry_read_blob(struct registry *registry, const struct digest *digest,
                                            struct blob_content *content_out, struct error *err);

/* Whether a blob is there (mount, what a manifest names), and how large it is then. */
MUST_USE enum error_code registry_find_blob(struct registry *registry, const struct digest *digest,
                                            bool *is_there_out, uint64_t *size_bytes_out,
                                            struct error *err);
