#include "blobs/filesystem_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "blobs/blob_driver.h"
#include "blobs/blob_folder.h"
#include "blobs/upload_file.h"

enum { BLOB_PATH_BYTES = sizeof(struct blob_path) + sizeof("/") };

struct filesystem_store {
    struct blob_store base;
    struct blob_folder folder;
    struct blob_watch watch;
    atomic_bool is_broken; /* a flush of a folder failed: no name is known to be durable */
};

struct filesystem_writer {
    struct blob_writer base;
    struct upload_file file;
};

static struct filesystem_store *filesystem_store_of(struct blob_store *base)
{
    return (struct filesystem_store *)base; /* its first member */
}

static void filesystem_free(struct blob_store *base)
{
    struct filesystem_store *store = filesystem_store_of(base);

    blob_folder_release(&store->folder);
    free(store);
}

static enum error_code filesystem_open(struct blob_store *base, const struct blob_upload *upload,
                                       struct blob_writer **writer_out, struct error *err)
{
    struct filesystem_writer *writer = memory_new(1, sizeof(*writer));
    const int uploads_fd = filesystem_store_of(base)->folder.uploads_fd;
    const enum error_code code = upload_file_open(&writer->file, uploads_fd, upload, err);

    if (code) {
        free(writer);
        return code;
    }
    *writer_out = &writer->base;
    return OK;
}

static struct filesystem_writer *filesystem_writer_of(struct blob_writer *base)
{
    return (struct filesystem_writer *)base; /* its first member */
}

static enum error_code filesystem_write(struct blob_writer *base, struct str bytes,
                                        struct error *err)
{
    return upload_file_write(&filesystem_writer_of(base)->file, base->upload.offset_bytes, bytes,
                             err);
}

static enum error_code filesystem_rehash(struct blob_writer *base, struct hasher *hasher,
                                         struct error *err)
{
    return upload_file_hash(&filesystem_writer_of(base)->file, hasher, err);
}

static enum error_code open_subfolder(const struct filesystem_store *store,
                                      const struct digest *digest, int *fd_out, struct error *err)
{
    const int algorithm_fd = store->folder.algorithm_fds[digest->algorithm];
    struct blob_path path;
    int fd;

    blob_path_init(&path, digest);
    fd = openat(algorithm_fd, path.folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return error_set_errno(err, "cannot open the folder of the blob %s", path.name);
    }
    *fd_out = fd;
    return OK;
}

/* A failed flush is final, as for files: a second one might succeed without having done it. */
static enum error_code flush_subfolder(struct filesystem_store *store, int subfolder_fd,
                                       struct error *err)
{
    if (atomic_load(&store->is_broken)) {
        return error_set(err, ERROR_INTERNAL,
                         "a flush in the folder '%s' has failed: check the disk, then restart",
                         store->folder.path);
    }
    if (fsync(subfolder_fd) != 0) {
        atomic_store(&store->is_broken, true);
        return error_set_errno(err, "cannot flush in the folder '%s'", store->folder.path);
    }
    return OK;
}

static enum error_code link_blob(struct filesystem_store *store, struct upload_file *file,
                                 const struct digest *digest, struct error *err)
{
    struct blob_path path;
    enum error_code code;
    int fd = -1;

    code = open_subfolder(store, digest, &fd, err);
    if (code) {
        upload_file_unseal(file);
        return code;
    }
    blob_path_init(&path, digest);
    /* Until it is closed: a sweep comes before all of this, or after it and finds a young file. */
    while (flock(fd, LOCK_SH) != 0 && errno == EINTR) {
    }
    /* Whoever else has linked it (EEXIST) may not have flushed the name yet: flush in any case. */
    if (linkat(file->folder_fd, file->id, fd, path.name, 0) == 0 || errno == EEXIST) {
        (void)utimensat(fd, path.name, NULL, AT_SYMLINK_NOFOLLOW);
        code = flush_subfolder(store, fd, err);
    } else {
        code = error_set_errno(err, "cannot link the blob %s", path.name);
        upload_file_unseal(file);
    }
    if (!code && store->watch.publish) {
        code = store->watch.publish(store->watch.context, digest, err);
    }
    (void)close(fd);
    return code;
}

/*
 * The order is what survives a power failure: bytes, then name, then OK. The name in uploads/ goes
 * last, so that a file with two names is one whose publishing is not known to be finished.
 */
static enum error_code filesystem_publish(struct blob_writer *base, const struct digest *digest,
                                          struct blob_location *location_out, struct error *err)
{
    struct filesystem_store *store = filesystem_store_of(base->store);
    struct upload_file *file = &filesystem_writer_of(base)->file;
    enum error_code code = upload_file_seal(file, err);

    (void)location_out; /* follows from the digest */
    if (!code) {
        code = link_blob(store, file, digest, err);
    }
    if (!code) {
        (void)unlinkat(store->folder.uploads_fd, file->id, 0);
    }
    return code;
}

static void filesystem_close(struct blob_writer *base)
{
    struct filesystem_writer *writer = filesystem_writer_of(base);

    upload_file_close(&writer->file);
    free(writer);
}

static enum error_code filesystem_discard(struct blob_store *base, const struct blob_upload *upload,
                                          struct error *err)
{
    if (unlinkat(filesystem_store_of(base)->folder.uploads_fd, upload->id, 0) != 0 &&
        errno != ENOENT) {
        return error_set_errno(err, "cannot remove the upload " RANDOM_ID_SHOWN, upload->id);
    }
    return OK;
}

/* Below its algorithm's folder. */
static void blob_path_format(const struct digest *digest, char path_out[BLOB_PATH_BYTES])
{
    struct blob_path path;

    blob_path_init(&path, digest);
    (void)snprintf(path_out, BLOB_PATH_BYTES, "%s/%s", path.folder, path.name);
}

static void filesystem_touch(struct blob_store *base, const struct digest *digest)
{
    const int algorithm_fd = filesystem_store_of(base)->folder.algorithm_fds[digest->algorithm];
    char path[BLOB_PATH_BYTES];

    blob_path_format(digest, path);
    (void)utimensat(algorithm_fd, path, NULL, AT_SYMLINK_NOFOLLOW);
}

static enum error_code open_blob(const struct filesystem_store *store, const struct digest *digest,
                                 int *fd_out, struct error *err)
{
    char path[BLOB_PATH_BYTES];
    char text[DIGEST_TEXT_BYTES];
    int fd;

    blob_path_format(digest, path);
    digest_format(digest, text);
    fd = openat(store->folder.algorithm_fds[digest->algorithm], path,
                O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        return error_set_about(err, ABOUT_BLOB, ERROR_NOT_FOUND, "there is no blob %s", text);
    }
    if (fd < 0) {
        return error_set_errno(err, "cannot open the blob %s", text);
    }
    *fd_out = fd;
    return OK;
}

/*
 * The blob still has its name in uploads/, so its own name may not be flushed yet. Whoever sees a
 * blob may build on it (a client skips its push), so it must be durable before it is seen.
 */
static enum error_code finish_publishing(struct filesystem_store *store,
                                         const struct digest *digest, struct error *err)
{
    enum error_code code;
    int fd = -1;

    code = open_subfolder(store, digest, &fd, err);
    if (!code) {
        code = flush_subfolder(store, fd, err);
        (void)close(fd);
    }
    return code;
}

static enum error_code filesystem_read(struct blob_store *base, const struct digest *digest,
                                       const struct blob_location *location,
                                       struct blob_content *content_out, struct error *err)
{
    struct filesystem_store *store = filesystem_store_of(base);
    struct stat status;
    enum error_code code;
    int fd = -1;

    (void)location;
    code = open_blob(store, digest, &fd, err);
    if (code) {
        return code;
    }
    if (fstat(fd, &status) != 0) {
        code = error_set_errno(err, "cannot look at a blob in '%s'", store->folder.path);
    } else if (status.st_nlink > 1) {
        code = finish_publishing(store, digest, err);
    }
    if (code) {
        (void)close(fd);
        return code;
    }
    *content_out = (struct blob_content){
        .kind = BLOB_IN_FILE, .size_bytes = (uint64_t)status.st_size, .fd = fd};
    return OK;
}

static const struct blob_driver filesystem_driver = {
    .name = "filesystem",
    .free = filesystem_free,
    .open = filesystem_open,
    .write = filesystem_write,
    .suspend = NULL, /* what was written is with the kernel, and outlives the process */
    .rehash = filesystem_rehash,
    .publish = filesystem_publish,
    .close = filesystem_close,
    .discard = filesystem_discard,
    .touch = filesystem_touch,
    .read = filesystem_read,
};

typedef enum error_code folder_open(struct blob_folder *folder, const char *path,
                                    struct error *err);

static enum error_code store_new(const char *path, folder_open *open_folder,
                                 struct blob_store **store_out, struct error *err)
{
    struct filesystem_store *store = memory_new(1, sizeof(*store));
    const enum error_code code = open_folder(&store->folder, path, err);

    if (code) {
        free(store);
        return code;
    }
    store->base.driver = &filesystem_driver;
    *store_out = &store->base;
    return OK;
}

enum error_code filesystem_store_new(const char *folder, struct blob_store **store_out,
                                     struct error *err)
{
    return store_new(folder, blob_folder_open, store_out, err);
}

enum error_code filesystem_store_join(const char *folder, struct blob_store **store_out,
                                      struct error *err)
{
    return store_new(folder, blob_folder_join, store_out, err);
}

void filesystem_store_watch(struct blob_store *store, const struct blob_watch *watch)
{
    filesystem_store_of(store)->watch = *watch;
}
