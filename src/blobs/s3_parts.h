#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "blobs/blob_store.h"

/*
 * How large the parts of a multipart upload are. S3 takes 10,000 parts of 5 MiB to 5 GiB, of which
 * the last may be smaller. Nobody knows how long a blob will be when it begins, and a part is held
 * in memory until it is sent: so parts begin small, and grow slowly enough that 10,000 of them hold
 * the largest blob. Pure.
 */
enum { S3_PARTS_MAX = 10000 };

#define S3_PART_MIN_BYTES (UINT64_C(5) << 20)
#define S3_PART_MAX_BYTES (UINT64_C(5) << 30)
#define S3_OBJECT_MAX_BYTES (UINT64_C(5) << 40)

/* The size of the part with that number, 1 to S3_PARTS_MAX, where blobs have up to
 * largest_blob_bytes, at most S3_OBJECT_MAX_BYTES. */
uint64_t s3_parts_size(uint64_t largest_blob_bytes, unsigned number);

/* The size of the last, largest one. */
uint64_t s3_parts_largest(uint64_t largest_blob_bytes);

enum {
    S3_ETAG_BYTES = 72, /* with quotes and NUL; S3 itself has 32 digits in quotes */
    S3_UPLOAD_ID_BYTES = 1024,
};

/* A part that S3 has. */
struct s3_part {
    char etag[S3_ETAG_BYTES];
};

/*
 * Where the bytes of an upload are while it rests: parts of a multipart upload, and behind them a
 * tail that is too small for a part. The tail is an object of its own (that becomes the blob, if it
 * is all there is), or is saved beside the notes (struct blob_tail), where nobody loads it unasked.
 */
struct s3_notes {
    uint64_t offset_bytes;              /* of all together */
    char key[BLOB_KEY_BYTES];           /* of the multipart upload; empty: there is none */
    char upload_id[S3_UPLOAD_ID_BYTES]; /* S3's name of it */
    struct s3_part *parts;              /* owned */
    size_t part_count;
    size_t part_capacity;
    char tail_key[BLOB_KEY_BYTES]; /* empty: it is beside them */
    size_t tail_length;
};

/* Nothing yet. */
void s3_notes_init(struct s3_notes *notes);
void s3_notes_release(struct s3_notes *notes);

/* Appends them as bytes, and back. False: that was written by something else; notes that were
 * initialised are to be released in any case. */
void s3_notes_append(const struct s3_notes *notes, struct strbuf *bytes);
MUST_USE bool s3_notes_parse(struct str bytes, struct s3_notes *notes);

/* The part with that number, from 1 on, for writing; those before it are there. */
struct s3_part *s3_notes_part(struct s3_notes *notes, size_t number);
