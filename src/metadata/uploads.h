#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "metadata/metadata.h"

/*
 * An upload that rests between requests. What these functions write outlives the process, but need
 * not outlive a power failure: an upload is not a blob yet, and clients begin again. How far it
 * went on is known to the database server that takes another one's place, too, or its client would
 * be told that the bytes were wrong.
 */
struct upload_record {
    struct str id;
    struct str repository; /* it is bound to both */
    struct str created_by;
    struct str login;      /* fingerprint of the credentials it was begun with; may be empty */
    int64_t login_ends_ms; /* when those stop being good by themselves */
    uint64_t offset_bytes;
    struct str state;    /* opaque bytes: blob_upload_save() */
    bool goes_on;        /* only for saving, as the next three: it rests already, … */
    uint64_t from_bytes; /* … with so many bytes */
    bool is_tail_new;    /* false leaves the tail as it was */
    struct str tail;     /* see metadata_read_upload_tail */
    int64_t created_ms;
    int64_t updated_ms;
};

/*
 * Inserts, or replaces offset, state, updated_ms, and the tail if it is new. ERROR_CONFLICT about
 * UPLOAD, and nothing is changed, if it goes on from where it is not any more: another instance
 * went on with it meanwhile. ERROR_NOT_FOUND about UPLOAD: that ended it.
 */
MUST_USE enum error_code metadata_save_upload(struct metadata *metadata,
                                              const struct upload_record *upload,
                                              struct error *err);

/* That a request is still working on it, at that time. Success also if there is none. */
MUST_USE enum error_code metadata_touch_upload(struct metadata *metadata, struct str id,
                                               int64_t now_ms, struct error *err);

/* ERROR_NOT_FOUND about UPLOAD, also if it is of another repository. */
MUST_USE enum error_code metadata_find_upload(struct metadata *metadata, struct str repository,
                                              struct str id, struct arena *arena,
                                              struct upload_record *upload_out, struct error *err);

/*
 * Sets *tail to what was saved last, of at most some megabytes; to nothing, if the upload has none,
 * is gone, or has not so many bytes (any more).
 */
MUST_USE enum error_code metadata_read_upload_tail(struct metadata *metadata, struct str id,
                                                   uint64_t offset_bytes, struct strbuf *tail,
                                                   struct error *err);

/* Who somebody's upload may belong to, so that they can be told by it. */
struct upload_owner_query {
    struct str repository;
    struct str created_by; /* either this, if not empty, before that time, */
    int64_t created_before_ms;
    struct str login; /* or this, if not empty, if it ended at that time or later */
    int64_t login_ended_since_ms;
    int64_t created_since_ms;
    int64_t updated_since_ms;
};

/* Who began an upload in that repository that still rests: *owner_out is in the arena.
 * ERROR_NOT_FOUND about UPLOAD. */
MUST_USE enum error_code metadata_find_upload_owner(struct metadata *metadata,
                                                    const struct upload_owner_query *query,
                                                    struct arena *arena, struct str *owner_out,
                                                    struct error *err);

/* Success also if there is none. */
MUST_USE enum error_code metadata_remove_upload(struct metadata *metadata, struct str id,
                                                struct error *err);

/* How many uploads rest, and how many bytes are in them. */
struct upload_sum {
    size_t uploads;
    uint64_t bytes;
};

struct upload_sums {
    struct upload_sum of_identity;
    struct upload_sum of_team;
};

/* What somebody has (upload_record.created_by), and what is being pushed to a team. */
MUST_USE enum error_code metadata_sum_uploads(struct metadata *metadata, struct str created_by,
                                              struct str team, struct upload_sums *sums_out,
                                              struct error *err);

struct stale_upload_query {
    int64_t updated_before_ms;
    size_t limit;
    struct arena *arena; /* for the list */
};

/* Oldest first. */
struct upload_list {
    struct upload_record *uploads;
    size_t count;
};

/* Uploads that were last updated before that time, at most limit; without their state. */
MUST_USE enum error_code metadata_list_stale_uploads(struct metadata *metadata,
                                                     const struct stale_upload_query *query,
                                                     struct upload_list *list_out,
                                                     struct error *err);

/*
 * What became of uploads. Kept beside those that rest, for a while: the answer to the request that
 * ended one may have been lost, with this process even, and then its client asks again. As those it
 * need not outlive a power failure.
 */
struct ended_upload {
    struct upload_record upload; /* without state, offset and tail; updated_ms is when it ended */
    bool is_blob;                /* … of that digest; or it was given up */
    struct digest digest;
};

struct upload_ending {
    struct str id;
    const struct digest *digest; /* NULL: it was given up */
    int64_t ended_ms;
};

/* Takes an upload from those that rest to these, at once. Success also if there is none. */
MUST_USE enum error_code metadata_end_upload(struct metadata *metadata,
                                             const struct upload_ending *ending, struct error *err);

/* ERROR_NOT_FOUND about UPLOAD, also if it is of another repository. */
MUST_USE enum error_code
metadata_find_ended_upload(struct metadata *metadata, struct str repository, struct str id,
                           struct arena *arena, struct ended_upload *ended_out, struct error *err);

/* Forgets those that ended before that time, the oldest first, at most `limit`. */
MUST_USE enum error_code metadata_forget_ended_uploads(struct metadata *metadata, int64_t before_ms,
                                                       size_t limit, struct error *err);
