#include "server/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"

enum { FRESH_BYTES = 2 * (RANDOM_ID_BYTES - 1) };

static enum error_code read_open(int fd, const char *path, struct strbuf *secret,
                                 struct error *err);
static enum error_code make(const char *path, struct error *err);
static bool write_fresh(int fd);

enum error_code secret_file_read(const char *path, struct strbuf *secret_out, struct error *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    enum error_code code = OK;

    if (fd < 0 && errno == ENOENT) {
        return error_set(err, ERROR_NOT_FOUND,
                         "%s is missing: make it with `(umask 077; openssl rand -hex 32 >%s)`",
                         path, path);
    }
    if (fd < 0) {
        return error_set_errno(err, "cannot read %s", path);
    }
    code = read_open(fd, path, secret_out, err);
    (void)close(fd);
    return code;
}

static enum error_code read_open(int fd, const char *path, struct strbuf *secret, struct error *err)
{
    char bytes[SECRET_MAX_BYTES + 1];
    struct stat status;
    const ssize_t got = read(fd, bytes, sizeof(bytes));
    size_t length = got > 0 ? (size_t)got : 0;

    while (length > 0 && strchr(" \t\r\n", bytes[length - 1])) {
        length--;
    }
    strbuf_append(secret, (struct str){bytes, length});
    explicit_bzero(bytes, sizeof(bytes));
    if (got < 0 || fstat(fd, &status) < 0) {
        return error_set_errno(err, "cannot read %s", path);
    }
    if (length < SECRET_MIN_BYTES || length > SECRET_MAX_BYTES) {
        return error_set(err, ERROR_INVALID,
                         "%s has %zu bytes: a secret has %d to %d, for instance those of `openssl "
                         "rand -hex 32`",
                         path, length, SECRET_MIN_BYTES, SECRET_MAX_BYTES);
    }
    if (status.st_mode & S_IRWXO) {
        return error_set(err, ERROR_INVALID, "others may read the secret in %s: `chmod o= %s`",
                         path, path);
    }
    return OK;
}

enum error_code secret_file_need(const char *path, struct strbuf *secret_out, struct error *err)
{
    enum error_code code = secret_file_read(path, secret_out, err);

    if (code == ERROR_NOT_FOUND) {
        code = make(path, err);
        if (!code) {
            strbuf_clear(secret_out);
            code = secret_file_read(path, secret_out, err);
        }
    }
    return code;
}

/* The data folder is locked, so nobody else makes it at the same time. */
static enum error_code make(const char *path, struct error *err)
{
    char temporary[PATH_MAX];
    const int length = snprintf(temporary, sizeof(temporary), "%s.new", path);
    enum error_code code = OK;
    int fd = -1;

    if (length < 0 || length >= PATH_MAX) {
        return error_set(err, ERROR_INVALID, "the path of the secret is too long");
    }
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return error_set_errno(err, "cannot create %s", temporary);
    }
    if (!write_fresh(fd) || fsync(fd) < 0 || rename(temporary, path) < 0) {
        code = error_set_errno(err, "cannot write %s", path);
    }
    (void)close(fd);
    return code;
}

static bool write_fresh(int fd)
{
    char text[FRESH_BYTES + 2];

    random_id(text);
    random_id(text + FRESH_BYTES / 2);
    text[FRESH_BYTES] = '\n';
    return write(fd, text, FRESH_BYTES + 1) == FRESH_BYTES + 1;
}
