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

/* Reads a blob's bytes from the first to the last, for ourselves. Owned by one thread. */
struct blob_reader {
    struct registry *registry;
    struct blob_content content;
    uint64_t offset_bytes;
    struct strbuf piece; /* of a remote one: what was asked for at once */
    size_t piece_taken;  /* of these bytes */
};

/* ERROR_NOT_FOUND about BLOB. */
MUST_USE enum error_code blob_reader_open(struct blob_reader *reader, struct registry *registry,
                                          const struct digest *digest, struct error *err);

/* Up to `capacity` of the next bytes; 0 at the end. ERROR_INTERNAL if the medium fails. */
MUST_USE enum error_code blob_reader_read(struct blob_reader *reader, char *buffer, size_t capacity,
                                          size_t *length_out, struct error *err);

void blob_reader_close(struct blob_reader *reader);

/* Appends a whole blob. ERROR_TOO_LARGE beyond buf's limit. */
MUST_USE enum error_code blob_reader_read_all(struct registry *registry,
                                              const struct digest *digest, struct strbuf *buf,
                                              struct error *err);
