#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/error.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "blobs/s3_client.h"
#include "blobs/s3_parts.h"

enum s3_lock_mode {
    S3_LOCK_NONE = 0,
    S3_LOCK_BUCKET,     /* what the bucket's own default retention says */
    S3_LOCK_GOVERNANCE, /* whoever has a special permission may still delete */
    S3_LOCK_COMPLIANCE, /* nobody may */
};

/* How objects are stored. Texts are borrowed; NULL: the bucket's own way. */
struct s3_style {
    const char *encryption; /* `AES256`, `aws:kms` */
    const char *kms_key;
    const char *storage_class;
    enum s3_lock_mode lock_mode;
    unsigned lock_days;
};

/* The requests for objects, one function each. All block, and fail as s3_objects_do. */
struct s3_objects {
    struct s3_client *client; /* borrowed */
    struct s3_style style;
    const struct clock *clock;
};

/* As s3_client_send, and fails as s3_answer_refusal says unless it was done (2xx). */
MUST_USE enum error_code s3_objects_do(struct s3_client *client, const struct s3_request *request,
                                       struct s3_answer *answer_out, struct error *err);

/* ERROR_NOT_FOUND, about an upload: its client has to begin again. */
enum error_code s3_objects_upload_is_gone(struct error *err);

/*
 * Writes an object that is not there. That it is there already is success: an earlier attempt did
 * it. An S3 that ignores the condition writes it once more, and the same bytes: nothing else has
 * that key. sha256: of bytes in hexadecimal, or NULL.
 */
MUST_USE enum error_code s3_objects_put(const struct s3_objects *objects, const char *key,
                                        struct str bytes, const char *sha256, struct error *err);

/* Reads `part` of it, which it must have, into `bytes`, which is empty and has room. */
MUST_USE enum error_code s3_objects_read(const struct s3_objects *objects, const char *key,
                                         const struct blob_part *part, struct strbuf *bytes,
                                         struct error *err);

/* Begins a multipart upload of notes->key; sets upload_id. */
MUST_USE enum error_code s3_objects_begin(const struct s3_objects *objects, struct s3_notes *notes,
                                          struct error *err);

/* A part of a multipart upload. */
struct s3_part_location {
    const char *key;
    const char *upload_id;
    unsigned number; /* from 1 on */
};

/* ERROR_NOT_FOUND about UPLOAD: there is no such multipart upload (any more). */
MUST_USE enum error_code s3_objects_put_part(const struct s3_objects *objects,
                                             const struct s3_part_location *location,
                                             struct str bytes, struct s3_part *part_out,
                                             struct error *err);

/*
 * Makes an object of all parts: it is there whole from then on. ERROR_NOT_FOUND: there is no such
 * upload, perhaps because it was completed before, by an attempt whose answer was lost.
 */
MUST_USE enum error_code s3_objects_complete(const struct s3_objects *objects,
                                             const struct s3_notes *notes, struct error *err);

/* Whether the object of a multipart upload is there, with size_bytes: OK, or ERROR_NOT_FOUND about
 * UPLOAD. */
MUST_USE enum error_code s3_objects_find_whole(const struct s3_objects *objects,
                                               const struct s3_notes *notes, uint64_t size_bytes,
                                               struct error *err);

/*
 * Removes an object: for who sweeps; a server may not (docs/storage.md). Success also if there is
 * none. *is_kept_out: it is hidden, but the bucket has versions and keeps its bytes. ERROR_DENIED:
 * permissions, a policy or a lock forbid it.
 */
MUST_USE enum error_code s3_objects_delete(const struct s3_objects *objects, const char *key,
                                           bool *is_kept_out, struct error *err);

/* Drops the parts. Success also if there are none. Tried once, and for seconds only. */
MUST_USE enum error_code s3_objects_abort(const struct s3_objects *objects,
                                          const struct s3_notes *notes, struct error *err);
