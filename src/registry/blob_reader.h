#pragma once

#include "blobs/blob_store.h"

/* Reads a stored blob's bytes from the first to the last. Owned by one thread. */
struct blob_reader {
    struct blob_store *blobs;
    struct blob_content content;
    uint64_t offset_bytes;
    struct strbuf piece; /* of a remote one: what was asked for at once */
    size_t piece_taken;  /* of these bytes */
};

/* ERROR_NOT_FOUND about BLOB. */
MUST_USE enum error_code blob_reader_open(struct blob_reader *reader, struct blob_store *blobs,
                                          const struct digest *digest, struct error *err);

/* Up to `capacity` of the next bytes; 0 at the end. ERROR_INTERNAL if the medium fails. */
MUST_USE enum error_code blob_reader_read(struct blob_reader *reader, char *buffer, size_t capacity,
                                          size_t *length_out, struct error *err);

void blob_reader_close(struct blob_reader *reader);

/* Appends a whole blob. ERROR_TOO_LARGE beyond buf's limit. */
MUST_USE enum error_code blob_reader_read_all(struct blob_store *blobs, const struct digest *digest,
                                              struct strbuf *buf, struct error *err);
