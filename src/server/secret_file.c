#include "server/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"

enum {
    FRESH_BYTES = 2 * (RANDOM_ID_BYTES - 1),
    FILE_MAX_BYTES = 2 * SECRET_MAX_BYTES, /* with the white space at its end */
};

static struct str without_end(struct str text)
{
    while (text.length > 0 && strchr(" \t\r\n", text.bytes[text.length - 1])) {
        text.length--;
    }
    return text;
}

enum error_code secret_file_read(const char *path, struct strbuf *secret_out, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text;
    struct str secret;
    mode_t mode = 0;
    enum error_code code = OK;

    strbuf_init_secret(&text, FILE_MAX_BYTES);
    code = file_read(path, FILE_ANY, &text, &mode);
    if (code == ERROR_NOT_FOUND && errno == ENOENT) {
        return error_set(err, ERROR_NOT_FOUND,
                         "%s is missing: make it with `(umask 077; openssl rand -hex 32 >%s)`",
                         path, path);
    }
    if (code && code != ERROR_TOO_LARGE) {
        return error_set_errno(err, "cannot read %s", path);
    }
    secret = without_end(strbuf_str(&text));
    if (code || secret.length < SECRET_MIN_BYTES || secret.length > SECRET_MAX_BYTES) {
        return error_set(
            err, ERROR_INVALID,
            "%s has %s%zu bytes: a secret has %d to %d, for instance those of `openssl "
            "rand -hex 32`",
            path, code ? "more than " : "", code ? text.limit_bytes : secret.length,
            SECRET_MIN_BYTES, SECRET_MAX_BYTES);
    }
    if (mode & S_IRWXO) {
        return error_set(err, ERROR_INVALID, "others may read the secret in %s: `chmod o= %s`",
                         path, path);
    }
    strbuf_append(secret_out, secret);
    return OK;
}

static bool write_fresh(int fd)
{
    char text[FRESH_BYTES + 2];

    random_id(text);
    random_id(text + FRESH_BYTES / 2);
    text[FRESH_BYTES] = '\n';
    return write(fd, text, FRESH_BYTES + 1) == FRESH_BYTES + 1;
}

/* The data folder is locked, so nobody else makes it at the same time. */
static enum error_code secret_file_make(const char *path, struct error *err)
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

enum error_code secret_file_need(const char *path, struct strbuf *secret_out, struct error *err)
{
    enum error_code code = secret_file_read(path, secret_out, err);

    if (code == ERROR_NOT_FOUND) {
        code = secret_file_make(path, err);
        if (!code) {
            strbuf_clear(secret_out);
            code = secret_file_read(path, secret_out, err);
        }
    }
    return code;
}
