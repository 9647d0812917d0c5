#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
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
