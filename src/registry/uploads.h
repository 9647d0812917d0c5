#pragma once

#include "base/arena.h"
#include "registry/reference.h"
#include "registry/registry.h"

/*
 * An upload that a request works on. One request at a time: a second one that opens the same upload
 * gets ERROR_CONFLICT about UPLOAD until the first has closed it.
 */
struct upload;

enum { UPLOAD_LOGIN_BYTES = 32 };

/* Who works on which upload. Borrows. */
struct upload_key {
    struct repository repository;
    struct str id;         /* empty for a new one */
    struct str identity;   /* an upload is bound to who began it; empty: nobody who is known now */
    struct str login;      /* fingerprint of the credentials; those it was begun with do as well */
    int64_t login_ends_ms; /* when these stop, or stopped, being good; INT64_MAX: nobody knows */
    bool has_expired;      /* they are good no more */
    bool ends;             /* opens it to end it, one way or the other */
};

/* Begins a new upload. It exists for other requests once it was suspended. ERROR_TOO_MANY: the
 * identity or the team has too many open. ERROR_NO_SPACE: the disk is short of it. */
MUST_USE enum error_code upload_begin(struct registry *registry, const struct upload_key *key,
                                      enum digest_algorithm algorithm, struct upload **upload_out,
                                      struct error *err);

/*
 * Opens an upload that rests. ERROR_NOT_FOUND about UPLOAD: unknown, expired, or another
 * repository's. ERROR_DENIED: another identity's. ERROR_UNAUTHENTICATED: the identity is empty, and
 * the credentials are not those it was begun with; or they were not good when it began, or have not
 * been for too long. Opening for writing drops bytes that were never
 * acknowledged.
 */
MUST_USE enum error_code upload_open(struct registry *registry, const struct upload_key *key,
                                     struct upload **upload_out, struct error *err);

/* Whether another request has it open for something else than its end: then waiting is no use. */
bool registry_upload_is_going_on(struct registry *registry, struct str id);

/*
 * What became of an upload, for who could have ended it and asks once more: OK if it became
 * that blob, or (NULL) was given up, not long ago. ERROR_NOT_FOUND about UPLOAD, and else as
 * upload_open.
 */
MUST_USE enum error_code registry_find_ended_upload(struct registry *registry,
                                                    const struct upload_key *key,
                                                    const struct digest *digest, struct error *err);

/* The id that clients know it by; borrowed from the upload. */
struct str upload_id(const struct upload *upload);

/* How many bytes it has. */
uint64_t upload_offset(const struct upload *upload);

/* Whether so many bytes more make no blob that is too large (as blob_store_check_size), and none
 * too many unfinished (ERROR_TOO_MANY). */
MUST_USE enum error_code upload_check_room(const struct upload *upload, uint64_t more_bytes,
                                           struct error *err);

/* How many bytes more it may have before its blob is too large. */
uint64_t upload_allowed_bytes(const struct upload *upload);

/* As blob_writer_room. */
size_t upload_room(struct upload *upload);

/* ERROR_TOO_MANY and ERROR_NO_SPACE as above; the upload is as it last rested then. */
MUST_USE enum error_code upload_write(struct upload *upload, struct str bytes, struct error *err);

/* Lays it to rest: all that was written is acknowledged now and survives kill -9. Closes nothing.
 */
MUST_USE enum error_code upload_suspend(struct upload *upload, struct error *err);

/*
 * Whether it may be committed now. False: all of it has to be hashed again, since it was begun for
 * another algorithm, and others are ahead with that; ask again a moment later.
 */
MUST_USE bool upload_may_commit(struct upload *upload, const struct digest *expected);

/*
 * Turns it into the blob `expected`, durably. ERROR_INVALID about DIGEST if its content is another:
 * the upload stays, unless it had to be hashed again for that. Closes nothing.
 */
MUST_USE enum error_code upload_commit(struct upload *upload, const struct digest *expected,
                                       struct error *err);

/*
 * Whether an upload whose bytes are gone (ERROR_NOT_FOUND) has become that blob before: by a
 * request that was killed between the two, or one of another instance. Then it has ended.
 */
MUST_USE bool upload_has_become(struct upload *upload, const struct digest *expected);

/* Discards it and its bytes. Closes nothing. */
MUST_USE enum error_code upload_cancel(struct upload *upload, struct error *err);

/* Ends the use; what was not suspended or committed is as if it was never sent. NULL is accepted.
 */
void upload_close(struct upload *upload);

/*
 * Whether somebody whose login is over may go on with an upload in that repository: key->id does
 * not matter, and either identity or login will do. OK: *owner_out is who began it, in the arena.
 * ERROR_NOT_FOUND about UPLOAD.
 */
MUST_USE enum error_code registry_find_upload_owner(struct registry *registry,
                                                    const struct upload_key *key,
                                                    struct arena *arena, struct str *owner_out,
                                                    struct error *err);

struct upload_expiry {
    size_t expired;
    bool has_more; /* this was a batch, and the next one is due as well */
};

/* Discards uploads that rested for longer than their lifetime, a batch a call, and
 * forgets what became of others once nobody asks any more. *expiry_out is written also on failure,
 * which has no more: what failed would be the next batch again. */
MUST_USE enum error_code registry_expire_uploads(struct registry *registry,
                                                 struct upload_expiry *expiry_out,
                                                 struct error *err);
