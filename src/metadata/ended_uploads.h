#pragma once

#include "base/digest.h"
#include "metadata/uploads.h"

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
