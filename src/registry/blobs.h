#pragma once

#include "registry/registry.h"

/* Blobs belong to no repository: who may pull may pull each of them. ERROR_NOT_FOUND about BLOB. */
MUST_USE enum error_code registry_read_blob(struct registry *registry, const struct digest *digest,
                                            struct blob_content *content_out, struct error *err);

/* Whether a blob is there (mount, what a manifest names), and how large it is then. */
MUST_USE enum error_code registry_find_blob(struct registry *registry, const struct digest *digest,
                                            bool *is_there_out, uint64_t *size_bytes_out,
                                            struct error *err);

/* Whether blobs are on another server: then reading and writing them waits for that. */
bool registry_has_remote_blobs(const struct registry *registry);

/* As blob_store_read_part and blob_store_link. */
MUST_USE enum error_code registry_read_blob_part(struct registry *registry,
                                                 const struct blob_content *content,
                                                 const struct blob_part *part,
                                                 struct strbuf *bytes_out, struct error *err);
MUST_USE enum error_code registry_link_blob(struct registry *registry,
                                            const struct blob_content *content, struct strbuf *url,
                                            struct error *err);

/* Chunks of uploads that are smaller cost more; 0: they do not. */
uint64_t registry_chunk_min_bytes(const struct registry *registry);
