#include "blobs/filesystem_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "blobs/blob_folder.h"
#include "tests/support/blob_helper.h"
#include "tests/support/temporary_folder.h"

enum { PATH_BYTES = 512, EVENTS_BYTES = 256 };

/* The calls that matter to durability, in their order, and an errno to fail each with once. */
struct kernel {
    char events[EVENTS_BYTES];
    int linkat_error;
    int fsync_error;
    int unlinkat_error;
};

static struct kernel kernel;

/* The linker's names (--wrap). */
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_linkat(int old_folder, const char *old, int new_folder, const char *new, int flags);
int __wrap_linkat(int old_folder, const char *old, int new_folder, const char *new, int flags);
int __real_unlinkat(int folder, const char *name, int flags);
int __wrap_unlinkat(int folder, const char *name, int flags);

/* Notes the call; true if it is to fail this time. */
static bool fails(const char *event, int *error)
{
    const size_t length = strlen(kernel.events);

    (void)snprintf(kernel.events + length, sizeof(kernel.events) - length, "%s ", event);
    if (!error || *error == 0) {
        return false;
    }
    errno = *error;
    *error = 0;
    return true;
}

int __wrap_fdatasync(int fd)
{
    return fails("fdatasync", NULL) ? -1 : __real_fdatasync(fd);
}

int __wrap_fsync(int fd)
{
    return fails("fsync", &kernel.fsync_error) ? -1 : __real_fsync(fd);
}

int __wrap_linkat(int old_folder, const char *old, int new_folder, const char *new, int flags)
{
    return fails("linkat", &kernel.linkat_error)
               ? -1
               : __real_linkat(old_folder, old, new_folder, new, flags);
}

int __wrap_unlinkat(int folder, const char *name, int flags)
{
    return fails("unlinkat", &kernel.unlinkat_error) ? -1 : __real_unlinkat(folder, name, flags);
}

struct fixture {
    char *folder;
    struct blob_store *store;
    struct digest digest; /* of hello */
    struct blob_upload upload;
    struct blob_writer *writer;
};

static struct fixture fixture;
static const struct str hello = STR_LITERAL("hello, registry");

static void open_store(void)
{
    struct error err = {0};

    kernel = (struct kernel){0};
    if (filesystem_store_new(fixture.folder, &fixture.store, &err)) {
        fail_msg("%s", err.message);
    }
    kernel = (struct kernel){0};
}

static int set_up(void **state)
{
    (void)state;
    fixture = (struct fixture){.folder = temporary_folder_new(),
                               .digest = hasher_digest_of(DIGEST_SHA256, hello)};
    open_store();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    blob_writer_free(fixture.writer);
    blob_store_free(fixture.store);
    temporary_folder_free(fixture.folder);
    return 0;
}

/* A writer of a new upload that holds hello. */
static void begin_upload(void)
{
    blob_upload_init(&fixture.upload, DIGEST_SHA256);
    assert_int_equal(blob_writer_open(fixture.store, &fixture.upload, &fixture.writer, NULL), OK);
    assert_int_equal(blob_writer_write(fixture.writer, hello, NULL), OK);
    assert_int_equal(blob_writer_suspend(fixture.writer, &fixture.upload, NULL), OK);
    kernel.events[0] = '\0';
}

/* Ends the writer. */
static enum error_code commit(struct error *err)
{
    const enum error_code code = blob_writer_commit(fixture.writer, &fixture.digest, NULL, err);

    blob_writer_free(fixture.writer);
    fixture.writer = NULL;
    return code;
}

static enum error_code reopen_upload(void)
{
    return blob_writer_open(fixture.store, &fixture.upload, &fixture.writer, NULL);
}

static unsigned count_uploads(void)
{
    char path[PATH_BYTES];
    unsigned count = 0;
    DIR *listing;

    (void)snprintf(path, sizeof(path), "%s/uploads", fixture.folder);
    listing = opendir(path);
    assert_non_null(listing);
    while (readdir(listing)) {
        count++;
    }
    (void)closedir(listing);
    return count - 2; /* . and .. */
}

static bool hello_is_there(void)
{
    return test_blob_is(fixture.store, &fixture.digest, hello);
}

static void bytes_are_flushed_before_the_name_and_the_name_before_success(void **state)
{
    (void)state;
    begin_upload();
    assert_int_equal(commit(NULL), OK);
    assert_string_equal(kernel.events, "fdatasync linkat fsync unlinkat ");
}

static void name_that_another_push_made_is_flushed_as_well(void **state)
{
    (void)state;
    begin_upload();
    assert_int_equal(commit(NULL), OK);
    begin_upload();
    assert_int_equal(commit(NULL), OK);
    assert_string_equal(kernel.events, "fdatasync linkat fsync unlinkat ");
    assert_int_equal(count_uploads(), 0);
}

static void blob_is_a_read_only_file_at_its_place(void **state)
{
    char path[PATH_BYTES];
    struct blob_path location;
    struct stat status;

    (void)state;
    begin_upload();
    assert_int_equal(count_uploads(), 1);
    assert_int_equal(commit(NULL), OK);
    blob_path_init(&location, &fixture.digest);
    (void)snprintf(path, sizeof(path), "%s/sha256/%s/%s", fixture.folder, location.folder,
                   location.name);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0400);
    assert_int_equal(status.st_nlink, 1);
    assert_int_equal(count_uploads(), 0);
}

static void blob_is_read_through_a_descriptor_of_its_own(void **state)
{
    struct blob_content content;
    char buffer[64];

    (void)state;
    begin_upload();
    assert_int_equal(commit(NULL), OK);
    assert_int_equal(blob_store_read(fixture.store, &fixture.digest, NULL, &content, NULL), OK);
    assert_int_equal(content.kind, BLOB_IN_FILE);
    assert_int_equal(content.size_bytes, hello.length);
    assert_true((fcntl(content.fd, F_GETFD) & FD_CLOEXEC) != 0);
    blob_store_free(fixture.store);
    fixture.store = NULL;
    assert_int_equal(read(content.fd, buffer, sizeof(buffer)), hello.length);
    assert_memory_equal(buffer, hello.bytes, hello.length);
    blob_content_release(&content);
    assert_int_equal(content.fd, -1);
    blob_content_release(&content);
}

static void blobs_and_uploads_outlive_the_store(void **state)
{
    const struct str other = STR_LITERAL("published before the end");
    const struct digest other_digest = hasher_digest_of(DIGEST_SHA256, other);

    (void)state;
    assert_int_equal(test_blob_push(fixture.store, other, NULL), OK);
    begin_upload();
    blob_writer_free(fixture.writer);
    blob_store_free(fixture.store);
    open_store();
    assert_true(test_blob_is(fixture.store, &other_digest, other));
    assert_int_equal(reopen_upload(), OK);
    assert_int_equal(commit(NULL), OK);
    assert_true(hello_is_there());
}

static void second_store_on_the_same_folder_is_refused(void **state)
{
    struct blob_store *second = NULL;
    struct error err = {0};

    (void)state;
    assert_int_equal(filesystem_store_new(fixture.folder, &second, &err), ERROR_INVALID);
    assert_null(second);
    assert_non_null(strstr(err.message, fixture.folder));
}

/* Until a flush succeeded, no name counts; and one that failed is not tried again. */
static void failed_flush_of_a_name_is_final(void **state)
{
    const struct str other = STR_LITERAL("published before");
    const struct digest other_digest = hasher_digest_of(DIGEST_SHA256, other);
    struct error err = {0};

    (void)state;
    assert_int_equal(test_blob_push(fixture.store, other, NULL), OK);
    begin_upload();
    kernel.fsync_error = EIO;
    assert_int_equal(commit(&err), ERROR_INTERNAL);
    assert_non_null(strstr(err.message, "cannot flush"));

    assert_int_equal(reopen_upload(), ERROR_NOT_FOUND);
    begin_upload();
    assert_int_equal(commit(&err), ERROR_INTERNAL);
    assert_non_null(strstr(err.message, "check the disk, then restart"));
    assert_false(hello_is_there());
    assert_true(test_blob_is(fixture.store, &other_digest, other));
}

static void upload_goes_on_after_a_failed_link(void **state)
{
    (void)state;
    begin_upload();
    kernel.linkat_error = ENOSPC;
    assert_int_equal(commit(NULL), ERROR_NO_SPACE);
    assert_true(test_blob_is_missing(fixture.store, &fixture.digest));
    assert_int_equal(reopen_upload(), OK);
    assert_int_equal(commit(NULL), OK);
    assert_true(hello_is_there());
}

static void upload_goes_on_if_the_blobs_folder_cannot_be_opened(void **state)
{
    char path[PATH_BYTES];
    char away[PATH_BYTES];
    struct blob_path location;

    (void)state;
    blob_path_init(&location, &fixture.digest);
    (void)snprintf(path, sizeof(path), "%s/sha256/%s", fixture.folder, location.folder);
    (void)snprintf(away, sizeof(away), "%s/away", fixture.folder);
    begin_upload();
    assert_int_equal(rename(path, away), 0);
    assert_int_equal(symlink(away, path), 0); /* is not followed */
    assert_int_equal(commit(NULL), ERROR_INTERNAL);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rename(away, path), 0);
    assert_int_equal(reopen_upload(), OK);
    assert_int_equal(commit(NULL), OK);
}

/* As when the process was killed between link and flush. */
static void blob_with_two_names_is_flushed_before_it_is_seen(void **state)
{
    (void)state;
    begin_upload();
    kernel.unlinkat_error = EIO;
    assert_int_equal(commit(NULL), OK);
    blob_store_free(fixture.store);
    open_store();
    assert_true(hello_is_there());
    assert_string_equal(kernel.events, "fsync ");

    assert_int_equal(blob_store_discard(fixture.store, &fixture.upload, NULL), OK);
    kernel.events[0] = '\0';
    assert_true(hello_is_there());
    assert_string_equal(kernel.events, "");
}

static void blob_that_cannot_be_flushed_is_not_seen(void **state)
{
    struct blob_content content;

    (void)state;
    begin_upload();
    kernel.unlinkat_error = EIO;
    assert_int_equal(commit(NULL), OK);
    kernel.fsync_error = EIO;
    assert_int_equal(blob_store_read(fixture.store, &fixture.digest, NULL, &content, NULL),
                     ERROR_INTERNAL);
    assert_int_equal(blob_store_read(fixture.store, &fixture.digest, NULL, &content, NULL),
                     ERROR_INTERNAL);
}

static void symlink_in_the_place_of_a_blob_is_not_followed(void **state)
{
    char path[PATH_BYTES];
    struct blob_path location;
    struct blob_content content;

    (void)state;
    blob_path_init(&location, &fixture.digest);
    (void)snprintf(path, sizeof(path), "%s/sha256/%s/%s", fixture.folder, location.folder,
                   location.name);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(blob_store_read(fixture.store, &fixture.digest, NULL, &content, NULL),
                     ERROR_INTERNAL);
}

static void failed_discard_says_why(void **state)
{
    struct error err = {0};

    (void)state;
    begin_upload();
    kernel.unlinkat_error = EROFS;
    assert_int_equal(blob_store_discard(fixture.store, &fixture.upload, &err), ERROR_INTERNAL);
    assert_non_null(strstr(err.message, "Read-only file system"));
    assert_int_equal(blob_store_discard(fixture.store, &fixture.upload, &err), OK);
    assert_int_equal(count_uploads(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            bytes_are_flushed_before_the_name_and_the_name_before_success, set_up, tear_down),
        cmocka_unit_test_setup_teardown(name_that_another_push_made_is_flushed_as_well, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(blob_is_a_read_only_file_at_its_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(blob_is_read_through_a_descriptor_of_its_own, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(blobs_and_uploads_outlive_the_store, set_up, tear_down),
        cmocka_unit_test_setup_teardown(second_store_on_the_same_folder_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(failed_flush_of_a_name_is_final, set_up, tear_down),
        cmocka_unit_test_setup_teardown(upload_goes_on_after_a_failed_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(upload_goes_on_if_the_blobs_folder_cannot_be_opened, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(blob_with_two_names_is_flushed_before_it_is_seen, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(blob_that_cannot_be_flushed_is_not_seen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(symlink_in_the_place_of_a_blob_is_not_followed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(failed_discard_says_why, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
