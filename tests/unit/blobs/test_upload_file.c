#include "blobs/upload_file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/random.h"
#include "tests/support/blob_helper.h"
#include "tests/support/temporary_folder.h"

enum { MEGABYTE = 1 << 20 };

/* What the kernel is made to do: an errno to fail with once (0: nothing), a most to write. */
struct kernel {
    int pwrite_error;
    size_t pwrite_most;
    unsigned pwrite_calls;
    int fallocate_error;
    off_t allocated_until;
    int sync_file_range_error;
    unsigned sync_file_range_calls;
    off_t synced_until;
    int fdatasync_error;
};

static struct kernel kernel;

/* The linker's names (--wrap). */
ssize_t __real_pwrite(int fd, const void *bytes, size_t length, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t length, off_t offset);
int __real_fallocate(int fd, int mode, off_t offset, off_t length);
int __wrap_fallocate(int fd, int mode, off_t offset, off_t length);
int __real_sync_file_range(int fd, off_t offset, off_t length, unsigned flags);
int __wrap_sync_file_range(int fd, off_t offset, off_t length, unsigned flags);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

/* The result of a call that fails once with *error, and then works again. */
static bool fails_once(int *error)
{
    if (*error == 0) {
        return false;
    }
    errno = *error;
    *error = 0;
    return true;
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    kernel.pwrite_calls++;
    if (fails_once(&kernel.pwrite_error)) {
        return -1;
    }
    if (kernel.pwrite_most > 0 && length > kernel.pwrite_most) {
        length = kernel.pwrite_most;
    }
    return __real_pwrite(fd, bytes, length, offset);
}

int __wrap_fallocate(int fd, int mode, off_t offset, off_t length)
{
    kernel.allocated_until = offset + length;
    return fails_once(&kernel.fallocate_error) ? -1 : __real_fallocate(fd, mode, offset, length);
}

int __wrap_sync_file_range(int fd, off_t offset, off_t length, unsigned flags)
{
    kernel.sync_file_range_calls++;
    assert_int_equal(offset, kernel.synced_until);
    kernel.synced_until = offset + length;
    return fails_once(&kernel.sync_file_range_error)
               ? -1
               : __real_sync_file_range(fd, offset, length, flags);
}

int __wrap_fdatasync(int fd)
{
    return fails_once(&kernel.fdatasync_error) ? -1 : __real_fdatasync(fd);
}

struct fixture {
    char *folder;
    int folder_fd;
    struct blob_upload upload;
    struct upload_file file;
};

static struct fixture fixture;
static const struct str hello = STR_LITERAL("hello, registry");

static enum error_code open_at(uint64_t offset_bytes, struct error *err)
{
    fixture.upload.offset_bytes = offset_bytes;
    return upload_file_open(&fixture.file, fixture.folder_fd, &fixture.upload, err);
}

static int set_up(void **state)
{
    (void)state;
    kernel = (struct kernel){0};
    fixture = (struct fixture){.folder = temporary_folder_new()};
    fixture.folder_fd = open(fixture.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    blob_upload_init(&fixture.upload, DIGEST_SHA256);
    return open_at(0, NULL) ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (fixture.file.fd >= 0) {
        upload_file_close(&fixture.file);
    }
    (void)close(fixture.folder_fd);
    temporary_folder_free(fixture.folder);
    return 0;
}

static void write_hello(void)
{
    assert_int_equal(upload_file_write(&fixture.file, 0, hello, NULL), OK);
}

static void assert_holds(struct str expected)
{
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, expected);
    struct digest found;
    struct hasher hasher;

    hasher_init(&hasher, DIGEST_SHA256);
    assert_int_equal(upload_file_hash(&fixture.file, &hasher, NULL), OK);
    found = hasher_digest(&hasher);
    assert_true(digest_equal(&found, &digest));
}

static void assert_gone_at(uint64_t offset_bytes)
{
    struct error err = {0};

    assert_int_equal(open_at(offset_bytes, &err), ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_UPLOAD);
    assert_int_equal(fixture.file.fd, -1);
}

/* The length of a file in the folder, or -1. */
static off_t length_of(const char *name)
{
    struct stat status;

    return fstatat(fixture.folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status.st_size
                                                                               : -1;
}

static mode_t mode_of_upload(void)
{
    struct stat status;

    assert_int_equal(fstatat(fixture.folder_fd, fixture.upload.id, &status, 0), 0);
    return status.st_mode & 07777;
}

static void short_writes_go_on(void **state)
{
    (void)state;
    kernel.pwrite_most = 4;
    write_hello();
    assert_int_equal(kernel.pwrite_calls, 4);
    assert_holds(hello);
}

static void interrupted_write_is_repeated(void **state)
{
    (void)state;
    kernel.pwrite_error = EINTR;
    write_hello();
    assert_int_equal(kernel.pwrite_calls, 2);
    assert_holds(hello);
}

static void failed_write_says_why(void **state)
{
    static const struct {
        int error;
        enum error_code code;
    } cases[] = {
        {ENOSPC, ERROR_NO_SPACE},
        {EDQUOT, ERROR_NO_SPACE},
        {EIO, ERROR_INTERNAL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char shown[RANDOM_ID_BYTES];
        struct error err = {0};

        kernel.pwrite_error = cases[i].error;
        assert_int_equal(upload_file_write(&fixture.file, 0, hello, &err), cases[i].code);
        assert_null(strstr(err.message, fixture.upload.id)); /* one could go on with it */
        (void)snprintf(shown, sizeof(shown), RANDOM_ID_SHOWN, fixture.upload.id);
        assert_non_null(strstr(err.message, shown));
    }
}

static void write_back_begins_every_16_megabytes(void **state)
{
    char *bytes = test_bytes_new(MEGABYTE, 1);

    (void)state;
    for (uint64_t i = 0; i < 33; i++) {
        const struct str piece = {bytes, MEGABYTE};

        assert_int_equal(kernel.sync_file_range_calls, i / 16);
        assert_int_equal(upload_file_write(&fixture.file, i * MEGABYTE, piece, NULL), OK);
    }
    assert_int_equal(kernel.synced_until, 32 * MEGABYTE);
    free(bytes);
}

static void write_16_megabytes(enum error_code expected)
{
    char *bytes = test_bytes_new(16 * MEGABYTE, 1);
    const struct str piece = {bytes, 16 * MEGABYTE};

    assert_int_equal(upload_file_write(&fixture.file, 0, piece, NULL), expected);
    assert_int_equal(kernel.sync_file_range_calls, 1);
    free(bytes);
}

/* What the file takes of the disk, by its own count. */
static off_t disk_bytes(void)
{
    struct stat status;

    assert_int_equal(fstatat(fixture.folder_fd, fixture.upload.id, &status, 0), 0);
    return (off_t)status.st_blocks * 512;
}

/* Some file systems allocate only when they flush, and all keep a little for their own notes. */
static void assert_takes_17_megabytes_at_most(void)
{
    assert_int_equal(length_of(fixture.upload.id), 16 * MEGABYTE);
    assert_true(disk_bytes() <= 17 * MEGABYTE);
}

static void blocks_behind_the_end_are_given_back(void **state)
{
    static enum error_code (*const seal)(struct upload_file *, struct error *) = upload_file_seal;

    (void)state;
    for (int is_sealed = 0; is_sealed < 2; is_sealed++) {
        kernel.sync_file_range_calls = 0;
        kernel.synced_until = 0;
        upload_file_close(&fixture.file);
        assert_int_equal(open_at(0, NULL), OK);
        write_16_megabytes(OK);
        assert_int_equal(kernel.allocated_until, 32 * MEGABYTE);
        assert_true(disk_bytes() >= 32 * MEGABYTE);
        assert_int_equal(is_sealed ? seal(&fixture.file, NULL) : OK, OK);
        upload_file_close(&fixture.file);
        assert_takes_17_megabytes_at_most();
    }
}

static void file_system_that_cannot_allocate_ahead_is_no_failure(void **state)
{
    static const int errors[] = {EOPNOTSUPP, ENOSPC};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        kernel = (struct kernel){.fallocate_error = errors[i]};
        upload_file_close(&fixture.file);
        assert_int_equal(open_at(0, NULL), OK);
        write_16_megabytes(OK);
        assert_int_equal(kernel.fallocate_error, 0);
        assert_int_equal(upload_file_seal(&fixture.file, NULL), OK);
        upload_file_close(&fixture.file);
    }
}

static void file_system_without_write_back_is_no_failure(void **state)
{
    (void)state;
    kernel.sync_file_range_error = ENOSYS;
    write_16_megabytes(OK);
    assert_int_equal(length_of(fixture.upload.id), 16 * MEGABYTE);
}

static void failed_write_back_removes_the_upload(void **state)
{
    (void)state;
    kernel.sync_file_range_error = ENOSPC;
    write_16_megabytes(ERROR_NO_SPACE);
    assert_int_equal(length_of(fixture.upload.id), -1);
}

static void sealed_upload_is_read_only_until_unsealed(void **state)
{
    (void)state;
    write_hello();
    assert_int_equal(mode_of_upload(), 0600);
    assert_int_equal(upload_file_seal(&fixture.file, NULL), OK);
    assert_int_equal(mode_of_upload(), 0400);
    upload_file_unseal(&fixture.file);
    assert_int_equal(mode_of_upload(), 0600);
}

/* The next fdatasync would succeed, as the kernel's does, without the bytes being there. */
static void failed_flush_is_not_tried_again(void **state)
{
    struct error err = {0};

    (void)state;
    write_hello();
    kernel.fdatasync_error = EIO;
    assert_int_equal(upload_file_seal(&fixture.file, &err), ERROR_INTERNAL);
    assert_non_null(strstr(err.message, "Input/output error"));
    upload_file_close(&fixture.file);
    assert_gone_at(hello.length);
}

static void upload_can_begin_again_after_a_failed_flush(void **state)
{
    (void)state;
    write_hello();
    kernel.fdatasync_error = ENOSPC;
    assert_int_equal(upload_file_seal(&fixture.file, NULL), ERROR_NO_SPACE);
    upload_file_close(&fixture.file);
    assert_int_equal(open_at(0, NULL), OK);
    write_hello();
    assert_int_equal(upload_file_seal(&fixture.file, NULL), OK);
    assert_holds(hello);
}

static void reopened_upload_is_cut_at_its_offset(void **state)
{
    (void)state;
    write_hello();
    upload_file_close(&fixture.file);
    assert_int_equal(open_at(5, NULL), OK);
    assert_holds(str_slice(hello, 0, 5));
}

static void short_or_missing_upload_is_gone(void **state)
{
    (void)state;
    write_hello();
    upload_file_close(&fixture.file);
    assert_gone_at(hello.length + 1);
    assert_int_equal(length_of(fixture.upload.id), hello.length);
    assert_int_equal(unlinkat(fixture.folder_fd, fixture.upload.id, 0), 0);
    assert_gone_at(1);
}

/* As after a crash between link and unlink: what the upload does must not reach the blob. */
static void published_upload_is_never_written_to_again(void **state)
{
    const struct str other = STR_LITERAL("other");

    (void)state;
    write_hello();
    upload_file_close(&fixture.file);
    assert_int_equal(
        linkat(fixture.folder_fd, fixture.upload.id, fixture.folder_fd, "published", 0), 0);
    assert_gone_at(hello.length);
    assert_gone_at(5);
    assert_int_equal(length_of("published"), hello.length);

    assert_int_equal(open_at(0, NULL), OK);
    assert_int_equal(upload_file_write(&fixture.file, 0, other, NULL), OK);
    assert_int_equal(length_of("published"), hello.length);
    assert_int_equal(length_of(fixture.upload.id), other.length);
}

static void symlink_in_the_place_of_an_upload_is_not_followed(void **state)
{
    struct error err = {0};

    (void)state;
    write_hello();
    upload_file_close(&fixture.file);
    assert_int_equal(renameat(fixture.folder_fd, fixture.upload.id, fixture.folder_fd, "victim"),
                     0);
    assert_int_equal(symlinkat("victim", fixture.folder_fd, fixture.upload.id), 0);
    assert_int_equal(open_at(5, &err), ERROR_INTERNAL);
    assert_int_equal(length_of("victim"), hello.length);

    assert_int_equal(open_at(0, NULL), OK); /* the link is replaced */
    assert_int_equal(length_of("victim"), hello.length);
    assert_int_equal(length_of(fixture.upload.id), 0);
}

static void folder_in_the_place_of_an_upload_is_an_error(void **state)
{
    static const uint64_t offsets[] = {0, 1};

    (void)state;
    upload_file_close(&fixture.file);
    assert_int_equal(unlinkat(fixture.folder_fd, fixture.upload.id, 0), 0);
    assert_int_equal(mkdirat(fixture.folder_fd, fixture.upload.id, 0700), 0);
    for (size_t i = 0; i < ARRAY_LEN(offsets); i++) {
        assert_int_equal(open_at(offsets[i], NULL), ERROR_INTERNAL);
    }
}

static void upload_that_cannot_be_read_is_an_error(void **state)
{
    struct hasher hasher;
    struct error err = {0};

    (void)state;
    upload_file_close(&fixture.file);
    fixture.file.fd = open(fixture.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* EISDIR */
    hasher_init(&hasher, DIGEST_SHA256);
    assert_int_equal(upload_file_hash(&fixture.file, &hasher, &err), ERROR_INTERNAL);
    assert_non_null(strstr(err.message, "cannot read"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(short_writes_go_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(interrupted_write_is_repeated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failed_write_says_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(write_back_begins_every_16_megabytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(blocks_behind_the_end_are_given_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(file_system_that_cannot_allocate_ahead_is_no_failure,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(file_system_without_write_back_is_no_failure, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(failed_write_back_removes_the_upload, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sealed_upload_is_read_only_until_unsealed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(failed_flush_is_not_tried_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(upload_can_begin_again_after_a_failed_flush, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(reopened_upload_is_cut_at_its_offset, set_up, tear_down),
        cmocka_unit_test_setup_teardown(short_or_missing_upload_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(published_upload_is_never_written_to_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(symlink_in_the_place_of_an_upload_is_not_followed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(folder_in_the_place_of_an_upload_is_an_error, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(upload_that_cannot_be_read_is_an_error, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
