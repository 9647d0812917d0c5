#include "blobs/blob_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/str.h"

enum {
    FOLDER_MODE = 0700,
    FILE_MODE = 0600,
    FOLDER_FLAGS = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
    SUBFOLDERS = 256,  /* of each algorithm */
    BOOT_ID_BYTES = 36 /* a UUID as text */
};

static const char uploads_name[] = "uploads";
static const char lock_name[] = "lock";
static const char probe_name[] = "probe";

static enum error_code unusable(const struct blob_folder *folder, const char *action,
                                struct error *err)
{
    const char *reason = strerrordesc_np(errno);
    const bool is_forbidden = errno == EACCES || errno == EPERM;
    const unsigned user_id = geteuid();

    if (is_forbidden) {
        return error_set(err, ERROR_INVALID,
                         "user %u cannot %s the folder '%s': %s; give it to that user "
                         "(chown -R %u '%s'), or choose another one",
                         user_id, action, folder->path, reason, user_id, folder->path);
    }
    return error_set(err, ERROR_INVALID,
                     "user %u cannot %s the folder '%s': %s; correct that, or choose another one",
                     user_id, action, folder->path, reason);
}

static enum error_code open_root(struct blob_folder *folder, struct error *err)
{
    if (mkdir(folder->path, FOLDER_MODE) != 0 && errno != EEXIST) {
        return unusable(folder, "create", err);
    }
    folder->root_fd = open(folder->path, FOLDER_FLAGS);
    return folder->root_fd < 0 ? unusable(folder, "open", err) : OK;
}

static enum error_code take_lock(struct blob_folder *folder, struct error *err)
{
    folder->lock_fd =
        openat(folder->root_fd, lock_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (folder->lock_fd < 0) {
        return unusable(folder, "create a file in", err);
    }
    if (flock(folder->lock_fd, LOCK_EX | LOCK_NB) == 0) {
        return OK;
    }
    if (errno != EWOULDBLOCK) {
        return unusable(folder, "lock", err);
    }
    return error_set(err, ERROR_INVALID,
                     "another process uses the folder '%s': stop it, or choose another folder",
                     folder->path);
}

static enum error_code open_folder_in(struct blob_folder *folder, const char *name, int *fd_out,
                                      struct error *err)
{
    if (mkdirat(folder->root_fd, name, FOLDER_MODE) != 0 && errno != EEXIST) {
        return unusable(folder, "create a folder in", err);
    }
    *fd_out = openat(folder->root_fd, name, FOLDER_FLAGS | O_NOFOLLOW);
    return *fd_out < 0 ? unusable(folder, "open what is in", err) : OK;
}

static enum error_code make_subfolders(struct blob_folder *folder, int algorithm_fd,
                                       struct error *err)
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < SUBFOLDERS; i++) {
        const char name[] = {hex[i / 16], hex[i % 16], '\0'};

        if (mkdirat(algorithm_fd, name, FOLDER_MODE) != 0 && errno != EEXIST) {
            return unusable(folder, "create a folder in", err);
        }
    }
    return OK;
}

/*
 * All subfolders are made now: then no push has to create one, and none can finish before the
 * flush of a subfolder that another push created at the same moment.
 */
static enum error_code blob_folder_make_folders(struct blob_folder *folder, struct error *err)
{
    enum error_code code = open_folder_in(folder, uploads_name, &folder->uploads_fd, err);

    for (size_t i = 0; i < ARRAY_LEN(folder->algorithm_fds) && !code; i++) {
        const char *name = digest_algorithm_name((enum digest_algorithm)i);

        code = open_folder_in(folder, name, &folder->algorithm_fds[i], err);
        if (!code) {
            code = make_subfolders(folder, folder->algorithm_fds[i], err);
        }
    }
    return code;
}

static void close_fd(int fd)
{
    if (fd >= 0) {
        (void)close(fd);
    }
}

/* Leaves zeros if there is none to read. */
static void read_boot_id(const char *path, int folder_fd, char id_out[BOOT_ID_BYTES])
{
    const int fd = openat(folder_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd >= 0 && read(fd, id_out, BOOT_ID_BYTES) != BOOT_ID_BYTES) {
        id_out[0] = '\0';
    }
    close_fd(fd);
}

static enum error_code drop_uploads(struct blob_folder *folder, struct error *err)
{
    const int fd = openat(folder->root_fd, uploads_name, FOLDER_FLAGS | O_NOFOLLOW);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    enum error_code code = OK;

    if (!listing) {
        close_fd(fd);
        return unusable(folder, "list what is in", err);
    }
    errno = 0;
    while ((entry = readdir(listing))) {
        if (unlinkat(fd, entry->d_name, 0) != 0 && errno != EISDIR) {
            break;
        }
        errno = 0;
    }
    if (errno != 0) {
        code = unusable(folder, "remove the uploads in", err);
    }
    (void)closedir(listing);
    return code;
}

/*
 * Uploads are not flushed before they are committed. After a power failure their size may be right
 * and their bytes lost, while the hash so far, kept elsewhere, is that of the true bytes: going on
 * would publish a wrong blob under a right digest. So none outlives the boot that it began in.
 */
static enum error_code drop_uploads_of_earlier_boot(struct blob_folder *folder, struct error *err)
{
    char current[BOOT_ID_BYTES] = {0};
    char last[BOOT_ID_BYTES] = {0};
    enum error_code code;

    read_boot_id("/proc/sys/kernel/random/boot_id", AT_FDCWD, current);
    read_boot_id(lock_name, folder->root_fd, last);
    if (current[0] != '\0' && memcmp(current, last, sizeof(current)) == 0) {
        return OK;
    }
    code = drop_uploads(folder, err);
    if (!code) {
        /* If this fails or is cut short, the next start drops uploads once too often. */
        (void)!pwrite(folder->lock_fd, current, sizeof(current), 0);
    }
    return code;
}

static enum error_code check_linking(struct blob_folder *folder, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(folder->algorithm_fds); i++) {
        const int fd = folder->algorithm_fds[i];

        if (linkat(folder->uploads_fd, probe_name, fd, probe_name, 0) != 0 && errno != EEXIST &&
            errno != ENOSPC && errno != EDQUOT) {
            return unusable(folder, "make hard links in", err);
        }
        (void)unlinkat(fd, probe_name, 0);
    }
    return OK;
}

/* Finds out now, not at the first push. A full disk is fine: it can be read and made room on. */
static enum error_code check_writing(struct blob_folder *folder, struct error *err)
{
    const int fd = openat(folder->uploads_fd, probe_name,
                          O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    enum error_code code = OK;

    if (fd < 0) {
        return errno == ENOSPC || errno == EDQUOT ? OK : unusable(folder, "write to", err);
    }
    close_fd(fd);
    code = check_linking(folder, err);
    (void)unlinkat(folder->uploads_fd, probe_name, 0);
    return code;
}

static enum error_code flush_folders(struct blob_folder *folder, struct error *err)
{
    /* Who may not read the parent did not create the folder, so need not flush its name. */
    const int parent_fd = openat(folder->root_fd, "..", FOLDER_FLAGS);
    bool is_flushed = parent_fd < 0 || fsync(parent_fd) == 0;

    close_fd(parent_fd);
    is_flushed = is_flushed && fsync(folder->root_fd) == 0;
    for (size_t i = 0; i < ARRAY_LEN(folder->algorithm_fds); i++) {
        is_flushed = is_flushed && fsync(folder->algorithm_fds[i]) == 0;
    }
    return is_flushed ? OK : unusable(folder, "flush", err);
}

static void init(struct blob_folder *folder, const char *path)
{
    *folder = (struct blob_folder){
        .path = memory_copy_text(path),
        .root_fd = -1,
        .lock_fd = -1,
        .uploads_fd = -1,
        .algorithm_fds = {[DIGEST_SHA256] = -1, [DIGEST_SHA512] = -1},
    };
}

enum error_code blob_folder_open(struct blob_folder *folder, const char *path, struct error *err)
{
    static enum error_code (*const steps[])(struct blob_folder *, struct error *) = {
        open_root,     take_lock,     blob_folder_make_folders, drop_uploads_of_earlier_boot,
        check_writing, flush_folders,
    };
    enum error_code code = OK;

    init(folder, path);
    for (size_t i = 0; i < ARRAY_LEN(steps) && !code; i++) {
        code = steps[i](folder, err);
    }
    if (code) {
        blob_folder_release(folder);
    }
    return code;
}

enum error_code blob_folder_join(struct blob_folder *folder, const char *path, struct error *err)
{
    bool is_open = true;

    init(folder, path);
    folder->root_fd = open(folder->path, FOLDER_FLAGS);
    is_open = folder->root_fd >= 0;
    for (size_t i = 0; i < ARRAY_LEN(folder->algorithm_fds) && is_open; i++) {
        const char *name = digest_algorithm_name((enum digest_algorithm)i);

        folder->algorithm_fds[i] = openat(folder->root_fd, name, FOLDER_FLAGS | O_NOFOLLOW);
        is_open = folder->algorithm_fds[i] >= 0;
    }
    if (!is_open) {
        const enum error_code code = unusable(folder, "open what is in", err);

        blob_folder_release(folder);
        return code;
    }
    return OK;
}

void blob_folder_release(struct blob_folder *folder)
{
    for (size_t i = 0; i < ARRAY_LEN(folder->algorithm_fds); i++) {
        close_fd(folder->algorithm_fds[i]);
    }
    close_fd(folder->uploads_fd);
    close_fd(folder->lock_fd);
    close_fd(folder->root_fd);
    free(folder->path);
    *folder = (struct blob_folder){.path = NULL};
}

void blob_path_init(struct blob_path *path, const struct digest *digest)
{
    char text[DIGEST_TEXT_BYTES];
    const char *hex;

    digest_format(digest, text);
    hex = text + strlen(digest_algorithm_name(digest->algorithm)) + 1;
    *path = (struct blob_path){.folder = {hex[0], hex[1]}};
    memcpy(path->name, hex, 2 * digest_size_bytes(digest->algorithm));
}
