#pragma once

#include <pthread.h>

#include "base/memory.h"
#include "base/workers.h"
#include "blobs/blob_driver.h"
#include "blobs/s3_store.h"

/* For s3_store.c and s3_writer.c only. */
struct s3_store {
    struct blob_store base;
    struct s3_store_config config;
    struct s3_objects objects;
    struct memory_budget *memory;
    struct workers *senders;
};

static inline struct s3_store *s3_store_of(struct blob_store *base)
{
    return (struct s3_store *)base; /* its first member */
}

/* A key that is used once: what a sweep removes is never somebody else's (docs/decisions/021). */
void s3_store_upload_key(const struct s3_store *store, const struct blob_upload *upload,
                         char key_out[BLOB_KEY_BYTES]);

/*
 * An upload under way: parts that S3 has or that are being sent, and behind them a part that is
 * filled. Used by one thread; only what parts_mutex guards is shared with the senders.
 */
struct s3_writer {
    struct blob_writer base;
    struct s3_store *store;
    struct s3_notes notes;
    char *bytes; /* of the part that is filled; NULL: none */
    size_t length;
    size_t capacity;             /* as much of the store's memory is taken */
    uint64_t spare_bytes;        /* so much more is taken, for the part behind it */
    int64_t waits_since_ms;      /* monotonic; 0: it does not wait for memory */
    bool has_old_tail;           /* what it rested with is not in bytes yet */
    bool is_kept;                /* the multipart upload is known to somebody who may go on */
    bool is_whole;               /* the object notes.key is all of it */
    bool was_found;              /* and somebody else may have made it so */
    pthread_mutex_t parts_mutex; /* guards notes.parts and all below */
    pthread_cond_t part_is_done;
    unsigned in_flight;
    bool is_cancelled; /* what is not sent yet need not be */
    enum error_code failed;
    struct error failure; /* the first */
};

static inline struct s3_writer *s3_writer_of(struct blob_writer *base)
{
    return (struct s3_writer *)base; /* its first member */
}

/* The driver's functions of a writer (blob_driver.h). */
enum error_code s3_writer_open(struct blob_store *base, const struct blob_upload *upload,
                               struct blob_writer **writer_out, struct error *err);
enum error_code s3_writer_begin_tail(struct blob_writer *base, size_t *length_out,
                                     struct error *err);
enum error_code s3_writer_give_tail(struct blob_writer *base, struct strbuf *tail,
                                    struct error *err);
size_t s3_writer_room(struct blob_writer *base);
enum error_code s3_writer_write(struct blob_writer *base, struct str bytes, struct error *err);
enum error_code s3_writer_suspend(struct blob_writer *base, struct strbuf *notes,
                                  struct blob_tail *tail, struct error *err);
enum error_code s3_writer_rehash(struct blob_writer *base, struct hasher *hasher,
                                 struct error *err);
enum error_code s3_writer_publish(struct blob_writer *base, const struct digest *digest,
                                  struct blob_location *location_out, struct error *err);
void s3_writer_close(struct blob_writer *base);

/* The part that is filled, and parts on their way: s3_writer_parts.c. */

/* Sees to it that there is room for a byte at least in `bytes`, with the old tail in it. */
enum error_code s3_writer_need_room(struct s3_writer *writer, struct error *err);

/* Takes memory for what comes next, if there is any now. Returns for how many bytes. */
size_t s3_writer_make_room(struct s3_writer *writer);

/* Loads the old tail, if there is one that is an object; one that is not was given back. */
enum error_code s3_writer_load_tail(struct s3_writer *writer, struct error *err);

/* Hands the part that is filled to the senders. */
enum error_code s3_writer_send_part(struct s3_writer *writer, struct error *err);

/* Waits until no more than `most` parts are on their way. Fails as the first of them did. */
enum error_code s3_writer_await_parts(struct s3_writer *writer, unsigned most, struct error *err);

/* Gives the part that is filled back. */
void s3_writer_drop_bytes(struct s3_writer *writer);
