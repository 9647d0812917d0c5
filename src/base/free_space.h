#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/clock.h"
#include "base/error.h"

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
