#pragma once

#include "blobs/blob_store.h"

/*
 * A file of uploads/ while it grows. Files that have a second name are blobs as well (a crash came
 * between link and unlink): those are never written to, only their name in uploads/ is removed.
 */
struct upload_file {
    char id[RANDOM_ID_BYTES]; /* its name */
    int folder_fd;            /* uploads/, borrowed */
    int fd;
    uint64_t written_back_bytes; /* up to here, the kernel was told to begin */
    bool has_spare;              /* it may have blocks behind its end */
};

/*
 * A new, empty file at offset 0; else the bytes before the offset. ERROR_NOT_FOUND about UPLOAD if
 * these are not all there.
 */
MUST_USE enum error_code upload_file_open(struct upload_file *file, int folder_fd,
                                          const struct blob_upload *upload, struct error *err);
void upload_file_close(struct upload_file *file);

MUST_USE enum error_code upload_file_write(struct upload_file *file, uint64_t offset_bytes,
                                           struct str bytes, struct error *err);
MUST_USE enum error_code upload_file_hash(const struct upload_file *file, struct hasher *hasher,
                                          struct error *err);

/*
 * Makes the bytes durable and read-only. If that fails, they cannot be trusted any more and the
 * upload is removed.
 */
MUST_USE enum error_code upload_file_seal(struct upload_file *file, struct error *err);

/* Back from sealed: the upload is not published after all, and may go on. */
void upload_file_unseal(struct upload_file *file);
