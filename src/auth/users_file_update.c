#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/users_file.h"
#include "base/clock.h"

enum { LOCK_PATIENCE_MS = 10 * 1000, LOCK_PAUSE_MS = 10 };

/* Whose a file is (-1: as it comes), and who may read it. */
struct ownership {
    uid_t user;
    gid_t group;
    mode_t mode;
};

/* A change to the file, while it is locked. */
struct update {
    const char *path;
    const struct user *user;
    enum users_change change;
    struct ownership ownership; /* the file's, afterwards as before */
    struct strbuf before;
    struct strbuf after;
};

static bool wait_for_lock(int fd)
{
    for (int waited_ms = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited_ms += LOCK_PAUSE_MS) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || waited_ms >= LOCK_PATIENCE_MS) {
            return false;
        }
        clock_pause(LOCK_PAUSE_MS);
    }
    return true;
}

/* The lock is a file of its own, since the users file itself is replaced, and stays, so that all
 * lock the same one. */
static enum error_code users_file_lock(const char *path, int *fd_out, struct error *err)
{
    char name[PATH_MAX];
    const int length = snprintf(name, sizeof(name), "%s.lock", path);
    int fd = -1;

    if (length < 0 || length >= PATH_MAX) {
        return error_set(err, ERROR_INVALID, "the path of the users file is too long");
    }
    fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return error_set_errno(err, "cannot lock %s", name);
    }
    if (!wait_for_lock(fd)) {
        const enum error_code code =
            error_set_errno(err, "another program keeps %s locked, try again later", name);

        (void)close(fd);
        return code;
    }
    *fd_out = fd;
    return OK;
}

/* The folder that the file of that path is in; -1 as open. */
static int users_file_open_folder(const char *path)
{
    char copy[PATH_MAX];

    (void)snprintf(copy, sizeof(copy), "%s", path);
    return open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* What root makes in the folder of a service is for that service to read. */
static struct ownership ownership_of_new(const char *path)
{
    struct ownership ownership = {(uid_t)-1, (gid_t)-1, S_IRUSR | S_IWUSR};
    const int folder = users_file_open_folder(path);
    struct stat status;

    if (folder >= 0) {
        if (geteuid() == 0 && fstat(folder, &status) == 0) {
            ownership.user = status.st_uid;
            ownership.group = status.st_gid;
        }
        (void)close(folder);
    }
    return ownership;
}

/* A link would be replaced, not what it points to. */
static enum error_code users_file_inspect(const char *path, struct ownership *ownership_out,
                                          struct error *err)
{
    struct stat status;

    if (lstat(path, &status) < 0) {
        *ownership_out = ownership_of_new(path);
        return OK; /* if it is there, reading it says what is wrong */
    }
    if (S_ISLNK(status.st_mode)) {
        return error_set(err, ERROR_INVALID, "%s is a symbolic link: name the file itself", path);
    }
    *ownership_out =
        (struct ownership){status.st_uid, status.st_gid, status.st_mode & (S_IRWXU | S_IRWXG)};
    return OK;
}

static enum error_code users_file_parse_at(const char *path, struct str text,
                                           struct users_file *file_out, struct error *err)
{
    struct error reason = {0};
    const enum error_code code = users_file_parse(text, file_out, &reason);

    return code ? error_set(err, code, "%s, %s", path, reason.message) : OK;
}

static void append_user(struct strbuf *text, const struct user *user)
{
    struct str teams = user->teams;
    struct str team;
    const char *separator = ":";

    strbuf_append(text, user->name);
    strbuf_append_byte(text, ':');
    strbuf_append(text, user->hash);
    strbuf_append_text(text, teams.length == 0 ? ":" : "");
    while (teams.length > 0 && str_cut(&teams, '\n', &team)) {
        strbuf_append_text(text, separator);
        strbuf_append(text, team);
        separator = ",";
    }
    strbuf_append_byte(text, '\n');
}

static void copy_line(struct update *update, const struct users_file *file, struct str line)
{
    const struct str trimmed = str_trim(line);
    const struct str name = str_slice(trimmed, 0, str_index_of(trimmed, ':'));
    const struct user *found = users_file_find(file, name);

    if (found && str_equal(name, update->user->name)) {
        const struct user changed = {
            .name = found->name,
            .hash = update->user->hash.bytes ? update->user->hash : found->hash,
            .teams = update->user->teams.bytes ? update->user->teams : found->teams,
        };

        append_user(&update->after, &changed);
        return;
    }
    strbuf_append(&update->after, line);
    strbuf_append_byte(&update->after, '\n');
}

static enum error_code rewrite(struct update *update, struct error *err)
{
    const bool is_added = update->change == USERS_ADD;
    struct str rest = strbuf_str(&update->before);
    struct users_file file;
    struct str line;
    enum error_code code = users_file_parse_at(update->path, rest, &file, err);
    const struct user *found = users_file_find(&file, update->user->name);

    if (!code && is_added && found) {
        code = error_set(err, ERROR_CONFLICT,
                         "there is a user %.*s already: change it with `pieroned user passwd` or "
                         "`pieroned user team`",
                         STR_FORMAT(update->user->name));
    } else if (!code && !is_added && !found) {
        code = error_set(err, ERROR_NOT_FOUND, "there is no user %.*s in %s",
                         STR_FORMAT(update->user->name), update->path);
    }
    while (!code && rest.length > 0 && str_cut(&rest, '\n', &line)) {
        copy_line(update, &file, line);
    }
    if (!code && is_added) {
        append_user(&update->after, update->user);
    }
    users_file_release(&file);
    return code;
}

/* What a server could not read would lock everybody out. */
static enum error_code check_result(const struct update *update, struct error *err)
{
    struct users_file file;
    enum error_code code = OK;

    if (update->after.is_truncated) {
        return error_set(err, ERROR_INVALID, "%s would be larger than %d bytes", update->path,
                         USERS_FILE_MAX_BYTES);
    }
    code = users_file_parse_at(update->path, strbuf_str(&update->after), &file, err);
    users_file_release(&file);
    return code;
}

/* The owner first: changing it may clear bits of the mode. */
static bool give_to(int fd, const struct ownership *ownership)
{
    return fchown(fd, ownership->user, ownership->group) == 0 && fchmod(fd, ownership->mode) == 0;
}

static bool users_file_write_all(int fd, struct str text)
{
    while (text.length > 0) {
        const ssize_t written = write(fd, text.bytes, text.length);

        if (written < 0 && errno != EINTR) {
            return false;
        }
        text = str_from_index(text, written > 0 ? (size_t)written : 0);
    }
    return true;
}

static enum error_code fill_file(int fd, const char *path, const struct update *update,
                                 struct error *err)
{
    if (!give_to(fd, &update->ownership)) {
        return error_set_errno(
            err, "cannot keep owner and mode of %s: do this as its owner or as root", update->path);
    }
    if (!users_file_write_all(fd, strbuf_str(&update->after)) || fsync(fd) < 0) {
        return error_set_errno(err, "cannot write %s", path);
    }
    return OK;
}

static enum error_code write_file(const char *path, const struct update *update, struct error *err)
{
    enum error_code code = OK;
    int fd = -1;

    (void)unlink(path); /* of one that was killed */
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return error_set_errno(err, "cannot create %s", path);
    }
    code = fill_file(fd, path, update, err);
    (void)close(fd);
    return code;
}

static enum error_code users_file_flush_folder(const char *path, struct error *err)
{
    const int fd = users_file_open_folder(path);
    enum error_code code = OK;

    if (fd < 0 || fsync(fd) < 0) {
        code = error_set_errno(
            err, "%s is changed, but a power failure may undo that: cannot flush its folder", path);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return code;
}

static enum error_code users_file_replace(const struct update *update, struct error *err)
{
    char temporary[PATH_MAX];
    enum error_code code = OK;

    (void)snprintf(temporary, sizeof(temporary), "%s.new", update->path); /* shorter than .lock */
    code = write_file(temporary, update, err);
    if (!code && rename(temporary, update->path) < 0) {
        code = error_set_errno(err, "cannot replace %s", update->path);
    }
    if (code) {
        (void)unlink(temporary);
        return code;
    }
    return users_file_flush_folder(update->path, err);
}

static enum error_code users_file_apply(struct update *update, struct error *err)
{
    enum error_code code = users_file_inspect(update->path, &update->ownership, err);

    if (!code) {
        code = users_file_read(update->path, &update->before, err);
    }
    if (code == ERROR_NOT_FOUND && update->change == USERS_ADD) {
        code = OK; /* it is made */
    }
    if (!code) {
        code = rewrite(update, err);
    }
    if (!code) {
        code = check_result(update, err);
    }
    return code ? code : users_file_replace(update, err);
}

enum error_code users_file_update(const char *path, const struct user *user,
                                  enum users_change change, struct error *err)
{
    struct update update = {.path = path, .user = user, .change = change};
    int fd = -1;
    enum error_code code = users_file_lock(path, &fd, err);

    if (code) {
        return code;
    }
    strbuf_init_secret(&update.before, USERS_FILE_MAX_BYTES);
    strbuf_init_secret(&update.after, USERS_FILE_MAX_BYTES);
    code = users_file_apply(&update, err);
    strbuf_release(&update.before);
    strbuf_release(&update.after);
    (void)close(fd);
    return code;
}
