#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/memory.h"

enum { CHUNK_BYTES = 8 * 1024 };

static enum error_code code_of_errno(void)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
        return ERROR_NOT_FOUND;
    case EACCES:
    case EPERM:
        return ERROR_DENIED;
    default:
        return ERROR_INTERNAL;
    }
}

static enum error_code read_all(int fd, struct strbuf *buf)
{
    char chunk[CHUNK_BYTES];
    ssize_t got = 0;

    do {
        got = read(fd, chunk, sizeof(chunk));
        strbuf_append(buf, (struct str){chunk, got > 0 ? (size_t)got : 0});
    } while (!buf->is_truncated && (got > 0 || (got < 0 && errno == EINTR)));
    memory_wipe(chunk, sizeof(chunk));
    if (buf->is_truncated) {
        return ERROR_TOO_LARGE;
    }
    return got < 0 ? ERROR_INTERNAL : OK;
}

static enum error_code read_open(int fd, enum file_kind kind, struct strbuf *buf, mode_t *mode_out)
{
    struct stat status;

    if (fstat(fd, &status) < 0) {
        return ERROR_INTERNAL;
    }
    if (mode_out) {
        *mode_out = status.st_mode;
    }
    return kind == FILE_REGULAR && !S_ISREG(status.st_mode) ? ERROR_INVALID : read_all(fd, buf);
}

enum error_code file_read(const char *path, enum file_kind kind, struct strbuf *buf,
                          mode_t *mode_out)
{
    const int no_waiting = kind == FILE_REGULAR ? O_NONBLOCK : 0;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | no_waiting);
    enum error_code code = OK;
    int number = 0;

    if (fd < 0) {
        return code_of_errno();
    }
    code = read_open(fd, kind, buf, mode_out);
    number = errno;
    (void)close(fd);
    errno = number;
    return code;
}

enum { LOOK_AGAIN_MS = 1000 };

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
