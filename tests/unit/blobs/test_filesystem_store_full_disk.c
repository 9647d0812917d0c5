#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "blobs/filesystem_store.h"
#include "tests/support/blob_helper.h"
#include "tests/support/temporary_folder.h"

/* The room that is left is less than what is pushed, until the ballast is dropped. */
enum {
    PATH_BYTES = 512,
    MEGABYTE = 1 << 20,
    BALLAST_BYTES = 5 * MEGABYTE,
    PUSHED_BYTES = 4 * MEGABYTE,
};

struct fixture {
    char *folder;
    struct blob_store *store;
    char *bytes;
    struct str content; /* of PUSHED_BYTES */
    struct digest digest;
};

static struct fixture fixture;

static void open_store(void)
{
    struct error err = {0};

    if (filesystem_store_new(fixture.folder, &fixture.store, &err)) {
        fail_msg("%s", err.message);
    }
}

static void close_store(void)
{
    blob_store_free(fixture.store);
    fixture.store = NULL;
}

static int set_up(void **state)
{
    (void)state;
    fixture = (struct fixture){.folder = temporary_folder_new(),
                               .bytes = test_bytes_new(PUSHED_BYTES, 1)};
    fixture.content = (struct str){fixture.bytes, PUSHED_BYTES};
    fixture.digest = hasher_digest_of(DIGEST_SHA256, fixture.content);
    return 0;
}

/* Takes off the small disk, if the test put it on. */
static int tear_down(void **state)
{
    (void)state;
    close_store();
    (void)umount2(fixture.folder, MNT_DETACH);
    temporary_folder_free(fixture.folder);
    free(fixture.bytes);
    return 0;
}

/* A disk of 8 MB, seen by this process alone; false where that is not allowed. */
static bool mount_small_disk(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", fixture.folder, "tmpfs", 0, "size=8m") == 0;
}

static const char *ballast_path(void)
{
    static char path[PATH_BYTES];

    (void)snprintf(path, sizeof(path), "%s/ballast", fixture.folder);
    return path;
}

static void load_ballast(void)
{
    const int fd = open(ballast_path(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(posix_fallocate(fd, 0, BALLAST_BYTES), 0);
    (void)close(fd);
}

static void drop_ballast(void)
{
    assert_int_equal(unlink(ballast_path()), 0);
}

/* All of the disk, to the last byte. */
static void fill_disk(void)
{
    const int fd = open(ballast_path(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    while (write(fd, fixture.bytes, PUSHED_BYTES) > 0) {
    }
    (void)close(fd);
}

static void set_file_size_limit(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Half of it was acknowledged; the second half has no room and is not. */
static void fail_second_half(struct blob_upload *upload_out, enum error_code expected)
{
    struct blob_writer *writer = NULL;
    struct error err = {0};

    blob_upload_init(upload_out, DIGEST_SHA256);
    assert_int_equal(blob_writer_open(fixture.store, upload_out, &writer, NULL), OK);
    assert_int_equal(blob_writer_write(writer, str_slice(fixture.content, 0, MEGABYTE), NULL), OK);
    assert_int_equal(blob_writer_suspend(writer, upload_out, NULL), OK);
    assert_int_equal(blob_writer_write(writer, str_from_index(fixture.content, MEGABYTE), &err),
                     expected);
    assert_non_null(strstr(err.message, "cannot write to the upload"));
    blob_writer_free(writer);
    assert_true(test_blob_is_missing(fixture.store, &fixture.digest));
}

static void finish(const struct blob_upload *upload)
{
    struct blob_writer *writer = NULL;

    assert_int_equal(blob_writer_open(fixture.store, upload, &writer, NULL), OK);
    assert_int_equal(blob_writer_write(writer, str_from_index(fixture.content, MEGABYTE), NULL),
                     OK);
    assert_int_equal(blob_writer_commit(writer, &fixture.digest, NULL, NULL), OK);
    blob_writer_free(writer);
    assert_true(test_blob_is(fixture.store, &fixture.digest, fixture.content));
}

static void full_disk_is_an_error_and_pushes_work_again_with_room(void **state)
{
    struct blob_upload upload;

    (void)state;
    if (!mount_small_disk()) {
        skip();
    }
    open_store();
    load_ballast();
    fail_second_half(&upload, ERROR_NO_SPACE);
    drop_ballast();
    finish(&upload);
}

static void store_on_a_full_disk_can_be_opened_and_read(void **state)
{
    (void)state;
    if (!mount_small_disk()) {
        skip();
    }
    open_store();
    assert_int_equal(test_blob_push(fixture.store, fixture.content, NULL), OK);
    close_store();
    fill_disk();
    open_store();
    assert_true(test_blob_is(fixture.store, &fixture.digest, fixture.content));
}

static void upload_goes_on_after_a_limit_of_file_size(void **state)
{
    struct blob_upload upload;

    (void)state;
    open_store();
    (void)signal(SIGXFSZ, SIG_IGN);
    set_file_size_limit(2 * MEGABYTE);
    fail_second_half(&upload, ERROR_INTERNAL);
    set_file_size_limit(RLIM_INFINITY);
    finish(&upload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(full_disk_is_an_error_and_pushes_work_again_with_room,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(store_on_a_full_disk_can_be_opened_and_read, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(upload_goes_on_after_a_limit_of_file_size, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
