#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attributes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/strbuf.h"

/* FILE_REGULAR refuses all else, and does not wait for the writer of a pipe. */
enum file_kind { FILE_ANY, FILE_REGULAR };

/*
 * Appends a small file's bytes, nothing beyond the limit of buf, and leaves no copy of them
 * elsewhere. mode_out (NULL: not wanted) is written once it is open. The words are the caller's:
 * ERROR_NOT_FOUND: there is none. ERROR_DENIED: it may not be read. ERROR_INVALID: it is not
 * regular. ERROR_TOO_LARGE: it is larger than buf may be. ERROR_INTERNAL: anything else. errno says
 * why, but for ERROR_INVALID and ERROR_TOO_LARGE.
 */
MUST_USE enum error_code file_read(const char *path, enum file_kind kind, struct strbuf *buf,
                                   mode_t *mode_out);

enum { FREE_SPACE_FOLDERS_MAX = 2 };

/* Disks that are not to be filled to the last: what is asked before something is written that could
 * as well not be. Safe for threads. */
struct free_space {
    const char *folders[FREE_SPACE_FOLDERS_MAX]; /* on the disks; borrowed; NULL: no more */
    uint64_t reserve_bytes;
    const struct clock *clock;
    _Atomic int64_t look_again_ms; /* monotonic */
    atomic_size_t full;            /* the number of the folder that is, from 1; 0: none */
};

/* Looks at the disks at most once a second. ERROR_NO_SPACE if one has less than the reserve. NULL
 * is accepted, and always OK; so is a disk that cannot be looked at. */
MUST_USE enum error_code free_space_check(struct free_space *space, struct error *err);
