#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/random.h"
#include "base/side_hash.h"
#include "base/str.h"
#include "base/strbuf.h"

/*
 * Where blobs are kept. Blobs are written once and never changed, nor removed by a store; only
 * uploads that were never committed can be discarded. This is the generic half: it hashes, counts
 * and checks; drivers (blob_driver.h) do only the medium.
 *
 * Where a blob lies follows from its digest in some stores (a folder). In others it lies where its
 * upload landed: then the caller keeps the locations (blob_store_has_locations).
 *
 * A store may be used by many threads at once; a writer belongs to one thread at a time, and one
 * upload has at most one writer (the caller sees to that).
 */
struct blob_store;
struct blob_writer;

/* Bytes that the medium cannot take yet, because there are too few of them: whoever keeps the
 * upload keeps them beside it, and gives them back before it goes on (blob_writer_begin_tail). */
struct blob_tail {
    bool is_new;      /* false: what was saved before stays as it is */
    struct str bytes; /* borrowed from the writer until it goes on or is freed */
};

/*
 * An upload that rests between requests: all that is needed to go on, on any instance, if its
 * medium is one that instances share. The caller keeps it (blob_upload_save), and the tail beside
 * it.
 */
struct blob_upload {
    char id[RANDOM_ID_BYTES];
    uint64_t offset_bytes; /* acknowledged so far */
    struct hasher hasher;  /* of these bytes */
    char *notes;           /* the driver's own: where the bytes are; owned, NULL: none */
    size_t notes_length;
    struct blob_tail tail; /* only after blob_writer_suspend */
};

enum {
    BLOB_UPLOAD_NOTES_MAX_BYTES = 1024 * 1024, /* the parts of a multipart upload */
    BLOB_KEY_BYTES = 512,                      /* a prefix of up to 255, and a name */
};

/* Where a blob lies, in a store that has locations. */
struct blob_location {
    char key[BLOB_KEY_BYTES]; /* the driver's name of it */
    uint64_t size_bytes;
};

enum blob_content_kind {
    BLOB_IN_FILE,   /* fd is open at the file that holds exactly the blob; the receiver closes it */
    BLOB_IN_MEMORY, /* bytes live as long as the store */
    BLOB_REMOTE,    /* blob_store_read_part, and blob_store_link if is_linked */
};

struct blob_content {
    enum blob_content_kind kind;
    uint64_t size_bytes;
    int fd;
    struct str bytes;
    bool is_linked;           /* clients are to fetch it where blob_store_link says */
    bool is_link_slow;        /* … and making the link asks another server first */
    char key[BLOB_KEY_BYTES]; /* of a remote one: its location's */
};

/* Some of a blob's bytes. */
struct blob_part {
    uint64_t offset_bytes;
    size_t length;
};

void blob_store_free(struct blob_store *store);

/* From now on what is written is hashed by them meanwhile. They must outlive all writers. */
void blob_store_hash_beside(struct blob_store *store, struct side_hashers *hashers);

/* A new upload with a fresh id and nothing in it. Touches no medium. */
void blob_upload_init(struct blob_upload *upload, enum digest_algorithm algorithm);

/* Frees what it owns. */
void blob_upload_release(struct blob_upload *upload);

/* Appends hash and notes as opaque bytes: with id and offset, all that blob_upload_restore needs;
 * without the tail. */
void blob_upload_save(const struct blob_upload *upload, struct strbuf *state);

/* Sets hash and notes of an upload that owns nothing. False, with nothing changed, if `state` was
 * not written by blob_upload_save of a build with the same layout. */
MUST_USE bool blob_upload_restore(struct blob_upload *upload, struct str state);

/* Chunks that are smaller cost more here (distribution-spec, OCI-Chunk-Min-Length); 0: none. */
uint64_t blob_store_chunk_min_bytes(const struct blob_store *store);

/* How many bytes a blob may have; UINT64_MAX: any number. */
uint64_t blob_store_largest_bytes(const struct blob_store *store);

/* Whether a blob may have so many bytes. ERROR_TOO_LARGE about SIZE. */
MUST_USE enum error_code blob_store_check_size(const struct blob_store *store, uint64_t size_bytes,
                                               struct error *err);

/* Whether writing waits for other servers. */
bool blob_store_is_remote(const struct blob_store *store);

/* Whether the caller keeps where blobs lie, by their digest. Else locations are looked at nowhere,
 * and may be NULL. */
bool blob_store_has_locations(const struct blob_store *store);

/*
 * Opens an upload to go on at its offset. Bytes beyond it that an interrupted request left behind
 * are dropped. The upload is copied. ERROR_NOT_FOUND about UPLOAD if it has an offset but its bytes
 * are gone, ERROR_NO_SPACE, ERROR_UNAVAILABLE, ERROR_INTERNAL.
 */
MUST_USE enum error_code blob_writer_open(struct blob_store *store,
                                          const struct blob_upload *upload,
                                          struct blob_writer **writer_out, struct error *err);

/*
 * Before an upload that had rested is written to or committed: *length_out is how many bytes of
 * tail it needs back, and the memory for them is taken by then, which may have to be waited for. 0:
 * none. After a failure only blob_writer_free is allowed. ERROR_UNAVAILABLE.
 */
MUST_USE enum error_code blob_writer_begin_tail(struct blob_writer *writer, size_t *length_out,
                                                struct error *err);

/*
 * Gives them back: what was saved with this offset, or nothing, if nothing was or another offset
 * is now. Takes the bytes out of the buffer. ERROR_NOT_FOUND about UPLOAD if they are not as many
 * as wanted: another request has gone on meanwhile. After a failure only blob_writer_free.
 */
MUST_USE enum error_code blob_writer_give_tail(struct blob_writer *writer, struct strbuf *tail,
                                               struct error *err);

/* Appends. After a failure only blob_writer_free is allowed. */
MUST_USE enum error_code blob_writer_write(struct blob_writer *writer, struct str bytes,
                                           struct error *err);

/*
 * How many bytes can be written without waiting for the memory of other uploads. 0: none now, ask
 * again a moment later, and let whoever sends wait meanwhile. Never 0 for longer than some seconds:
 * then writing says what is wrong.
 */
size_t blob_writer_room(struct blob_writer *writer);

uint64_t blob_writer_offset(const struct blob_writer *writer);

/*
 * Makes what was written outlive this process (kill -9; not power loss) and tells how to go on.
 * What upload_out held before is not looked at; the caller releases it. The writer is still to be
 * freed.
 */
MUST_USE enum error_code blob_writer_suspend(struct blob_writer *writer,
                                             struct blob_upload *upload_out, struct error *err);

/*
 * Whether this is the digest of all that was written. ERROR_INVALID about DIGEST if the content has
 * another one (the upload stays). If it was hashed with another algorithm than expected's, its
 * bytes are read once more, by the first who asks.
 */
MUST_USE enum error_code blob_writer_check(struct blob_writer *writer,
                                           const struct digest *expected, struct error *err);

/*
 * Publishes the upload as the blob `expected`, if that is right (blob_writer_check). After OK it is
 * there whole, durably (power loss too), and the upload is gone. That the blob is there already is
 * success as well. In a store that has locations, it is there for others once *location_out is
 * kept; it is always another one. The writer is still to be freed.
 */
MUST_USE enum error_code blob_writer_commit(struct blob_writer *writer,
                                            const struct digest *expected,
                                            struct blob_location *location_out, struct error *err);

/* Closes; the upload stays as last suspended. NULL is accepted. */
void blob_writer_free(struct blob_writer *writer);

/*
 * Forgets an upload and its bytes, as far as the medium lets bytes go; the caller forgets it too.
 * Success also if there are none.
 */
MUST_USE enum error_code blob_store_discard(struct blob_store *store,
                                            const struct blob_upload *upload, struct error *err);

/* The blob counts as pushed now, if it is there and the medium keeps track of that. */
void blob_store_touch(struct blob_store *store, const struct digest *digest);

/* Opens a blob for reading. ERROR_NOT_FOUND about BLOB, where its digest says where it is. */
MUST_USE enum error_code blob_store_read(struct blob_store *store, const struct digest *digest,
                                         const struct blob_location *location,
                                         struct blob_content *content_out, struct error *err);

/*
 * Reads `length` bytes of a remote blob, which has them, into *bytes_out, which is empty and has
 * room. ERROR_UNAVAILABLE.
 */
MUST_USE enum error_code blob_store_read_part(struct blob_store *store,
                                              const struct blob_content *content,
                                              const struct blob_part *part,
                                              struct strbuf *bytes_out, struct error *err);

/* Appends a link to a remote blob that is linked, good for minutes and for everybody who has it. */
MUST_USE enum error_code blob_store_link(struct blob_store *store,
                                         const struct blob_content *content, struct strbuf *url,
                                         struct error *err);

/* Closes what blob_store_read opened, if the fd was not passed on. */
void blob_content_release(struct blob_content *content);
