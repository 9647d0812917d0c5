#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "blobs/blob_store.h"

/* Who has to know that a blob was published, perhaps again; under the lock of its subfolder, which
 * keeps a sweep (folder_sweep.h) away. */
struct blob_watch {
    void *context;
    enum error_code (*publish)(void *context, const struct digest *digest, struct error *err);
};

/*
 * Blobs as files of a folder: uploads/ID while they grow, sha256/ab/<hex> once published. Published
 * by link(2) from upload to location, so that a blob is there whole or not at all and nothing is
 * ever replaced; file and folder are flushed before that counts. Creates the folder and what is
 * missing in it (mode 0700; files 0400), and locks it until the store is freed. An upload can go on
 * after the process ended, but not after the machine did: its bytes may be lost then. ERROR_INVALID
 * if the folder cannot be used, with what to do.
 */
MUST_USE enum error_code filesystem_store_new(const char *folder, struct blob_store **store_out,
                                              struct error *err);

/*
 * The same beside whoever has it locked, to read blobs from alone: creates nothing, and looks at no
 * upload. ERROR_INVALID if there is no such folder.
 */
MUST_USE enum error_code filesystem_store_join(const char *folder, struct blob_store **store_out,
                                               struct error *err);

/* Before the store is used. The publishing of what the watch does not take fails. */
void filesystem_store_watch(struct blob_store *store, const struct blob_watch *watch);
