#include "cli/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { FOLDER_MODE = 0700, FILE_MODE = 0600, LINKS_MAX = 40 };

/* Whatever it is, a person has to look: none of it is better the next moment. */
static enum error_code file_fail(const char *path, const char *what, struct error *err)
{
    return error_set(err, ERROR_INVALID, "cannot %s %s: %s", what, path, strerror(errno));
}

enum error_code private_file_read(const char *path, struct strbuf *buf, struct error *err)
{
    const enum error_code code = file_read(path, FILE_ANY, buf, NULL);

    if (code == ERROR_NOT_FOUND) {
        return error_set(err, code, "there is no %s", path);
    }
    if (code == ERROR_TOO_LARGE) {
        return error_set(err, ERROR_INVALID, "%s is longer than %zu bytes", path, buf->limit_bytes);
    }
    return code ? file_fail(path, "read", err) : OK;
}

static enum error_code make_folders(const char *path, struct error *err)
{
    char folder[PATH_MAX];

    if (strlen(path) >= sizeof(folder)) {
        errno = ENAMETOOLONG;
        return file_fail(path, "write", err);
    }
    for (size_t i = 1; path[i] != '\0'; i++) {
        if (path[i] == '/') {
            memcpy(folder, path, i);
            folder[i] = '\0';
            if (mkdir(folder, FOLDER_MODE) < 0 && errno != EEXIST && errno != EISDIR) {
                return file_fail(folder, "make the folder", err);
            }
        }
    }
    return OK;
}

/* False: it leads to what is too long. */
static bool follow_link(char path[PATH_MAX], bool *is_link_out)
{
    char link[PATH_MAX];
    char next[PATH_MAX];
    const size_t slash = str_last_index_of(str_from(path), '/');
    const size_t folder = path[slash] == '/' ? slash + 1 : 0;
    const ssize_t length = readlink(path, link, sizeof(link) - 1);
    int used = 0;

    *is_link_out = length > 0;
    if (length <= 0) {
        return true;
    }
    link[length] = '\0';
    used = snprintf(next, sizeof(next), "%.*s%s", link[0] == '/' ? 0 : (int)folder, path, link);
    if (used >= (int)sizeof(next)) {
        return false;
    }
    memcpy(path, next, (size_t)used + 1);
    return true;
}

/* Where a link leads to, or a chain of them, also if there is nothing yet. */
static enum error_code find_target(const char *path, char target[PATH_MAX], struct error *err)
{
    bool is_link = true;

    if (realpath(path, target)) {
        return OK;
    }
    if (errno != ENOENT) {
        return file_fail(path, "write", err);
    }
    (void)snprintf(target, PATH_MAX, "%s", path); /* make_folders has seen that it fits */
    for (int i = 0; i < LINKS_MAX && is_link; i++) {
        if (!follow_link(target, &is_link)) {
            errno = ENAMETOOLONG;
            return file_fail(path, "write", err);
        }
    }
    errno = ELOOP;
    return is_link ? file_fail(path, "write", err) : OK;
}

/* With sudo somebody's own file may be written by root; afterwards they must still be able to read
 * it. Who may not give files away has their own. */
static void keep_owner(int fd, const char *path)
{
    struct stat before;

    if (stat(path, &before) == 0) {
        (void)!fchown(fd, before.st_uid, before.st_gid);
    }
}

static bool file_write_all(int fd, struct str content)
{
    while (content.length > 0) {
        const ssize_t written = write(fd, content.bytes, content.length);

        if (written < 0 && errno != EINTR) {
            return false;
        }
        content = str_from_index(content, written > 0 ? (size_t)written : 0);
    }
    return true;
}

static enum error_code file_replace(const char *path, struct str content, struct error *err)
{
    char temporary[PATH_MAX];
    enum error_code code = OK;
    int fd = -1;

    if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary)) {
        errno = ENAMETOOLONG;
        return file_fail(path, "write", err);
    }
    fd = mkstemp(temporary); /* mode 0600 */
    if (fd < 0) {
        return file_fail(path, "write", err);
    }
    keep_owner(fd, path);
    if (!file_write_all(fd, content) || fsync(fd) < 0) {
        code = file_fail(path, "write", err);
    }
    if (close(fd) < 0 && !code) {
        code = file_fail(path, "write", err);
    }
    if (!code && rename(temporary, path) < 0) {
        code = file_fail(path, "replace", err);
    }
    if (code) {
        (void)unlink(temporary);
    }
    return code;
}

enum error_code private_file_write(const char *path, struct str content, struct error *err)
{
    char target[PATH_MAX];
    enum error_code code = make_folders(path, err);

    if (!code) {
        code = find_target(path, target, err);
    }
    return code ? code : file_replace(target, content, err);
}

enum error_code private_file_lock(const char *path, int *fd_out, struct error *err)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char lock[PATH_MAX];
    enum error_code code = make_folders(path, err);
    int fd = -1;
    int result = -1;

    if (code) {
        return code;
    }
    (void)snprintf(lock, sizeof(lock), "%s.lock", path);
    fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (fd < 0) {
        return file_fail(lock, "write", err);
    }
    do {
        result = fcntl(fd, F_SETLKW, &whole);
    } while (result < 0 && errno == EINTR);
    if (result < 0) {
        code = file_fail(lock, "lock", err);
        (void)close(fd);
        return code;
    }
    *fd_out = fd;
    return OK;
}
