#include "base/free_space.h"

#include <sys/statvfs.h>

enum { LOOK_AGAIN_MS = 1000 };

static bool is_time(struct free_space *space);
static size_t find_full(const struct free_space *space);

enum error_code free_space_check(struct free_space *space, struct error *err)
{
    size_t full = 0;

    if (!space || space->reserve_bytes == 0) {
        return OK;
    }
    if (is_time(space)) {
        atomic_store(&space->full, find_full(space));
    }
    full = atomic_load(&space->full);
    if (full == 0) {
        return OK;
    }
    return error_set(err, ERROR_NO_SPACE,
                     "the disk of %s has less than %llu MiB left, which are kept for what is not a "
                     "push (limits.free_space): make room",
                     space->folders[full - 1],
                     (unsigned long long)(space->reserve_bytes / (UINT64_C(1024) * 1024)));
}

/* For one thread of those that come at the same time. */
static bool is_time(struct free_space *space)
{
    const int64_t now_ms = clock_monotonic_ms(space->clock);
    int64_t look_again_ms = atomic_load(&space->look_again_ms);

    return now_ms >= look_again_ms &&
           atomic_compare_exchange_strong(&space->look_again_ms, &look_again_ms,
                                          now_ms + LOOK_AGAIN_MS);
}

static size_t find_full(const struct free_space *space)
{
    for (size_t i = 0; i < FREE_SPACE_FOLDERS_MAX && space->folders[i]; i++) {
        struct statvfs disk;

        if (statvfs(space->folders[i], &disk) == 0 &&
            (uint64_t)disk.f_bavail * disk.f_frsize < space->reserve_bytes) {
            return i + 1;
        }
    }
    return 0;
}
