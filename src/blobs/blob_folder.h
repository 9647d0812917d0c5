#pragma once

#include "base/attributes.h"
#include "base/digest.h"
#include "base/error.h"

enum { BLOB_FOLDER_ALGORITHMS = DIGEST_SHA512 + 1 };

/*
 * The folders that filesystem_store works in, open and locked against other processes:
 *
 *     lock               held while the store is open; names the boot that uploads/ belongs to
 *     uploads/ID         growing
 *     sha256/ab/HEX      published, by the first two digits; sha512/ likewise
 */
struct blob_folder {
    char *path; /* as it was given, for messages */
    int root_fd;
    int lock_fd;
    int uploads_fd;
    int algorithm_fds[BLOB_FOLDER_ALGORITHMS]; /* by enum digest_algorithm */
};

/* A blob's location below its algorithm's folder. */
struct blob_path {
    char folder[sizeof("ab")];
    char name[2 * DIGEST_MAX_BYTES + 1];
};

/*
 * Creates what is missing, durably, and makes sure that blobs can be written and linked. Uploads of
 * an earlier boot of the machine are dropped. ERROR_INVALID says what is wrong and what to do.
 */
MUST_USE enum error_code blob_folder_open(struct blob_folder *folder, const char *path,
                                          struct error *err);

/* Opens the folders of blobs alone, beside whoever has them locked. ERROR_INVALID if there are
 * none. */
MUST_USE enum error_code blob_folder_join(struct blob_folder *folder, const char *path,
                                          struct error *err);
void blob_folder_release(struct blob_folder *folder);

void blob_path_init(struct blob_path *path, const struct digest *digest);
