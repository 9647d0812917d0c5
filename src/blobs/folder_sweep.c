#include "blobs/folder_sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "blobs/blob_folder.h"

enum {
    BATCH_BLOBS = 100, /* that a publisher may have to wait for */
    SUBFOLDERS = 256,
    SUBFOLDER_PATH_BYTES = 16, /* sha256/ab */
};

/* A subfolder, and what of it may go. */
struct batch {
    const struct folder_sweep *sweep;
    enum digest_algorithm algorithm;
    int fd; /* of the subfolder */
    struct old_blob blobs[BATCH_BLOBS];
    size_t count;
};

/* Whatever else lies there is not ours to judge. */
static bool folder_sweep_parse_name(const struct batch *batch, const char *name,
                                    struct digest *digest_out)
{
    char text[DIGEST_TEXT_BYTES];
    const int length =
        snprintf(text, sizeof(text), "%s:%s", digest_algorithm_name(batch->algorithm), name);

    return length > 0 && (size_t)length < sizeof(text) &&
           digest_parse(str_from(text), digest_out, NULL) == OK;
}

/* Whether it is a file that was not touched for long enough. */
static bool folder_sweep_look(const struct batch *batch, const char *name, struct old_blob *blob)
{
    struct stat status;

    if (fstatat(batch->fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode)) {
        return false;
    }
    blob->size_bytes = (uint64_t)status.st_size;
    blob->touched_ms = (int64_t)status.st_mtim.tv_sec * MS_PER_SECOND +
                       (int64_t)status.st_mtim.tv_nsec / NS_PER_MS;
    return blob->touched_ms < batch->sweep->untouched_since_ms;
}

static enum error_code folder_sweep_lock(const struct batch *batch, struct error *err)
{
    int result = -1;

    do {
        result = flock(batch->fd, LOCK_EX);
    } while (result != 0 && errno == EINTR);
    return result == 0 ? OK : error_set_errno(err, "cannot lock in '%s'", batch->sweep->path);
}

/* Some may have been pushed again, or asked for, before the lock was ours. */
static void drop_young(struct batch *batch)
{
    size_t count = 0;

    for (size_t i = 0; i < batch->count; i++) {
        struct old_blob blob = batch->blobs[i];
        struct blob_path path;

        blob_path_init(&path, &blob.digest);
        if (folder_sweep_look(batch, path.name, &blob)) {
            batch->blobs[count++] = blob;
        }
    }
    batch->count = count;
}

static enum error_code remove_bytes(const struct batch *batch, const bool *gone, struct error *err)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct blob_path path;

        blob_path_init(&path, &batch->blobs[i].digest);
        if (gone[i] && unlinkat(batch->fd, path.name, 0) != 0 && errno != ENOENT) {
            return error_set_errno(err, "cannot remove the blob %s", path.name);
        }
    }
    return fsync(batch->fd) == 0 ? OK
                                 : error_set_errno(err, "cannot flush in '%s'", batch->sweep->path);
}

static enum error_code folder_sweep_mark_and_remove(const struct batch *batch, bool *gone,
                                                    struct error *err)
{
    const struct folder_sweep *sweep = batch->sweep;
    struct digest digests[BATCH_BLOBS];
    enum error_code code = OK;

    for (size_t i = 0; i < batch->count; i++) {
        digests[i] = batch->blobs[i].digest;
    }
    if (batch->count > 0) {
        code = sweep->mark(sweep->context, digests, batch->count, gone, err);
    }
    return code ? code : remove_bytes(batch, gone, err);
}

static enum error_code remove_batch(struct batch *batch, struct error *err)
{
    bool gone[BATCH_BLOBS] = {false};
    enum error_code code = OK;

    if (batch->count == 0) {
        return OK;
    }
    code = folder_sweep_lock(batch, err);
    if (code) {
        return code;
    }
    drop_young(batch);
    code = folder_sweep_mark_and_remove(batch, gone, err);
    (void)flock(batch->fd, LOCK_UN);
    for (size_t i = 0; i < batch->count && !code; i++) {
        if (gone[i]) {
            batch->sweep->tell(batch->sweep->context, &batch->blobs[i]);
        }
    }
    batch->count = 0;
    return code;
}

static enum error_code sweep_entry(struct batch *batch, const char *name, struct error *err)
{
    const struct folder_sweep *sweep = batch->sweep;
    struct old_blob blob;
    bool is_named = false;
    enum error_code code = OK;

    if (!folder_sweep_parse_name(batch, name, &blob.digest) ||
        !folder_sweep_look(batch, name, &blob)) {
        return OK;
    }
    code = sweep->is_named(sweep->context, &blob.digest, &is_named, err);
    if (code || is_named) {
        return code;
    }
    if (!sweep->removes) {
        sweep->tell(sweep->context, &blob);
        return OK;
    }
    batch->blobs[batch->count++] = blob;
    return batch->count == BATCH_BLOBS ? remove_batch(batch, err) : OK;
}

static enum error_code sweep_entries(struct batch *batch, DIR *listing, struct error *err)
{
    const struct dirent *entry = NULL;
    enum error_code code = OK;

    errno = 0;
    while (!code && (entry = readdir(listing))) {
        code = sweep_entry(batch, entry->d_name, err);
        errno = 0;
    }
    if (!code && errno != 0) {
        code = error_set_errno(err, "cannot list blobs in '%s'", batch->sweep->path);
    }
    return code ? code : remove_batch(batch, err);
}

static enum error_code sweep_subfolder(struct batch *batch, int root_fd, unsigned number,
                                       struct error *err)
{
    char path[SUBFOLDER_PATH_BYTES];
    DIR *listing = NULL;
    enum error_code code = OK;

    (void)snprintf(path, sizeof(path), "%s/%02x", digest_algorithm_name(batch->algorithm), number);
    batch->fd = openat(root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    listing = batch->fd < 0 ? NULL : fdopendir(batch->fd);
    if (!listing) {
        code = errno == ENOENT
                   ? OK
                   : error_set_errno(err, "cannot list '%s' in '%s'", path, batch->sweep->path);
        if (batch->fd >= 0) {
            (void)close(batch->fd);
        }
        return code;
    }
    code = sweep_entries(batch, listing, err);
    (void)closedir(listing);
    return code;
}

enum error_code folder_sweep_run(const struct folder_sweep *sweep, struct error *err)
{
    const int root_fd = open(sweep->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum error_code code = OK;

    if (root_fd < 0) {
        (void)error_set_errno(err, "cannot open the folder '%s'", sweep->path);
        return ERROR_INVALID;
    }
    for (unsigned i = 0; i < BLOB_FOLDER_ALGORITHMS * SUBFOLDERS && !code; i++) {
        struct batch batch = {.sweep = sweep, .algorithm = (enum digest_algorithm)(i / SUBFOLDERS)};

        code = sweep_subfolder(&batch, root_fd, i % SUBFOLDERS, err);
    }
    (void)close(root_fd);
    return code;
}
