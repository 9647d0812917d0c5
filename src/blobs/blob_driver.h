#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "blobs/blob_store.h"

/*
 * What a medium owes (the porting guide for a new one). Instances embed struct blob_store, writers
 * struct blob_writer, as first member; NAME_store_of and NAME_writer_of lead back. The generic half
 * has checked all arguments.
 */
struct blob_driver {
    const char *name;

    void (*free)(struct blob_store *store);

    /*
     * Opens the upload's bytes for appending at upload->offset_bytes, beginning a new
     * upload (offset 0) and dropping bytes beyond the offset. ERROR_NOT_FOUND if fewer are there.
     */
    enum error_code (*open)(struct blob_store *store, const struct blob_upload *upload,
                            struct blob_writer **writer_out, struct error *err);

    /* As blob_writer_begin_tail and blob_writer_give_tail. Both NULL unless suspend sets tails. */
    enum error_code (*begin_tail)(struct blob_writer *writer, size_t *length_out,
                                  struct error *err);
    enum error_code (*give_tail)(struct blob_writer *writer, struct strbuf *tail,
                                 struct error *err);

    /* As blob_writer_room. NULL: there always is some. */
    size_t (*room)(struct blob_writer *writer);

    /* Appends all of bytes or fails; meanwhile they may be hashed, so that the upload's hash is not
     * to be looked at; a failed writer is only closed afterwards. */
    enum error_code (*write)(struct blob_writer *writer, struct str bytes, struct error *err);

    /*
     * All that was written outlives the process, once the caller has saved what this gives. Appends
     * what open needs to go on (upload->notes), and sets *tail if that has changed. NULL if all
     * outlives the process anyway, and open needs nothing.
     */
    enum error_code (*suspend)(struct blob_writer *writer, struct strbuf *notes,
                               struct blob_tail *tail, struct error *err);

    /* Hashes all bytes of the upload so far again into *hasher. May read them from the medium. */
    enum error_code (*rehash)(struct blob_writer *writer, struct hasher *hasher, struct error *err);

    /* Publishes under the digest, which is right, and makes it durable; removes the upload. Sets
     * the location's key, where the store has locations: else there is none. */
    enum error_code (*publish)(struct blob_writer *writer, const struct digest *digest,
                               struct blob_location *location_out, struct error *err);

    void (*close)(struct blob_writer *writer);

    enum error_code (*discard)(struct blob_store *store, const struct blob_upload *upload,
                               struct error *err);

    /* As blob_store_touch. NULL: the medium keeps no track. */
    void (*touch)(struct blob_store *store, const struct digest *digest);

    /* Only a store that has locations is given one. */
    enum error_code (*read)(struct blob_store *store, const struct digest *digest,
                            const struct blob_location *location, struct blob_content *content_out,
                            struct error *err);

    /* Both NULL unless read gives BLOB_REMOTE. */
    enum error_code (*read_part)(struct blob_store *store, const struct blob_content *content,
                                 const struct blob_part *part, struct strbuf *bytes,
                                 struct error *err);
    enum error_code (*link)(struct blob_store *store, const struct blob_content *content,
                            struct strbuf *url, struct error *err);
};

struct blob_store {
    const struct blob_driver *driver;
    uint64_t chunk_min_bytes;
    uint64_t largest_blob_bytes;  /* 0: it does not matter */
    const char *largest_blob_key; /* the setting that may be raised, where they do */
    bool is_remote;
    bool has_locations;
    struct side_hashers *side_hashers; /* the generic half's; borrowed; NULL: none */
};

/* Filled and kept up to date by the generic half; drivers only read it. */
struct blob_writer {
    struct blob_store *store;
    struct blob_upload upload; /* id, and offset and hash of all that was written; no more */
    bool is_finished;          /* failed or committed: only to be closed */
    bool is_checked;           /* all that was written has this digest */
    struct digest checked;
};
