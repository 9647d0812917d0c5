#include "blobs/blob_folder.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/digest.h"
#include "tests/support/temporary_folder.h"

enum { PATH_BYTES = 512, NOBODY = 65534, SUBFOLDERS = 256 };

/* A temporary folder, and the path of a blob folder in it that does not exist yet. */
struct fixture {
    char *parent;
    char path[PATH_BYTES];
};

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    fixture.parent = temporary_folder_new();
    (void)snprintf(fixture.path, sizeof(fixture.path), "%s/blobs", fixture.parent);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    temporary_folder_free(fixture.parent);
    return 0;
}

/* The path of what is in the blob folder, until the next call. */
static const char *path_of(const char *name)
{
    static char path[2 * PATH_BYTES];

    (void)snprintf(path, sizeof(path), "%s/%s", fixture.path, name);
    return path;
}

static void make_file(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static mode_t mode_of(const char *path)
{
    struct stat status;

    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 07777;
}

static void open_and_release(void)
{
    struct blob_folder folder;
    struct error err = {0};

    if (blob_folder_open(&folder, fixture.path, &err)) {
        fail_msg("%s", err.message);
    }
    blob_folder_release(&folder);
}

static void assert_refused(const char *path, const char *word)
{
    struct blob_folder folder;
    struct error err = {0};

    assert_int_equal(blob_folder_open(&folder, path, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, word));
    assert_non_null(strstr(err.message, "choose another"));
}

static unsigned counted_files;
static unsigned counted_folders;

static int count_entry(const char *path, const struct stat *status, int kind, struct FTW *position)
{
    (void)path;
    (void)status;
    (void)position;
    if (kind == FTW_D) {
        counted_folders++;
    } else {
        counted_files++;
    }
    return 0;
}

static void missing_folder_is_created_whole(void **state)
{
    (void)state;
    counted_files = 0;
    counted_folders = 0;
    open_and_release();
    assert_int_equal(nftw(fixture.path, count_entry, 4, FTW_PHYS), 0);
    assert_int_equal(counted_files, 1); /* lock */
    assert_int_equal(counted_folders, 1 + 1 + 2 * (1 + SUBFOLDERS));
    assert_int_equal(mode_of(fixture.path), 0700);
    assert_int_equal(mode_of(path_of("lock")), 0600);
    assert_int_equal(mode_of(path_of("uploads")), 0700);
    assert_int_equal(mode_of(path_of("sha256/00")), 0700);
    assert_int_equal(mode_of(path_of("sha512/ff")), 0700);
}

/* Beside whoever has it locked; and it makes nothing of what is missing. */
static void joined_folder_is_read_beside_its_owner(void **state)
{
    struct blob_folder owner;
    struct blob_folder reader;
    struct error err = {0};

    (void)state;
    assert_int_equal(blob_folder_join(&reader, fixture.path, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, fixture.path));
    assert_false(exists(fixture.path));
    assert_int_equal(blob_folder_open(&owner, fixture.path, NULL), OK);
    assert_int_equal(blob_folder_join(&reader, fixture.path, NULL), OK);
    assert_true(reader.algorithm_fds[DIGEST_SHA256] >= 0);
    assert_true(reader.algorithm_fds[DIGEST_SHA512] >= 0);
    blob_folder_release(&reader);
    blob_folder_release(&owner);
}

static void half_made_folder_is_completed(void **state)
{
    (void)state;
    assert_int_equal(mkdir(fixture.path, 0700), 0);
    assert_int_equal(mkdir(path_of("sha256"), 0700), 0);
    assert_int_equal(mkdir(path_of("sha256/7f"), 0700), 0);
    open_and_release();
    assert_true(exists(path_of("sha256/80")));
    assert_true(exists(path_of("uploads")));
}

static void leftovers_of_a_killed_start_do_no_harm(void **state)
{
    (void)state;
    open_and_release();
    make_file(path_of("uploads/probe"), "");
    make_file(path_of("sha256/probe"), "");
    open_and_release();
    assert_false(exists(path_of("uploads/probe")));
    assert_false(exists(path_of("sha256/probe")));
}

static void folder_that_is_none_is_refused(void **state)
{
    (void)state;
    make_file(fixture.path, "a file");
    assert_refused(fixture.path, "Not a directory");
    assert_refused(path_of("below"), "Not a directory");
}

static void folder_without_a_parent_is_refused(void **state)
{
    (void)state;
    assert_refused(path_of("below"), "No such file");
}

static void folder_in_folder_that_is_none_is_refused(void **state)
{
    (void)state;
    assert_int_equal(mkdir(fixture.path, 0700), 0);
    make_file(path_of("sha256"), "a file");
    assert_refused(fixture.path, "Not a directory");
}

static void symlink_in_the_place_of_a_folder_is_refused(void **state)
{
    (void)state;
    assert_int_equal(mkdir(fixture.path, 0700), 0);
    assert_int_equal(symlink(fixture.parent, path_of("uploads")), 0);
    assert_refused(fixture.path, "Not a directory");
}

static void folder_itself_may_be_a_symlink(void **state)
{
    char target[PATH_BYTES + sizeof("-target")];

    (void)state;
    (void)snprintf(target, sizeof(target), "%s-target", fixture.path);
    assert_int_equal(mkdir(target, 0700), 0);
    assert_int_equal(symlink(target, fixture.path), 0);
    open_and_release();
}

/* root may write everywhere, so it becomes somebody else for this. */
static void folder_of_another_user_is_refused(void **state)
{
    const uid_t user = geteuid();
    char user_text[sizeof("user 4294967295 cannot")];

    (void)state;
    assert_int_equal(chmod(fixture.parent, 0755), 0);
    assert_int_equal(mkdir(fixture.path, 0700), 0);
    assert_int_equal(chmod(fixture.path, 0555), 0);
    if (user == 0) {
        assert_int_equal(seteuid(NOBODY), 0);
    }
    (void)snprintf(user_text, sizeof(user_text), "user %u cannot", geteuid());
    assert_refused(fixture.path, user_text);
    assert_refused(fixture.path, "Permission denied");
    assert_int_equal(seteuid(user), 0);
}

static void folder_in_use_is_refused(void **state)
{
    struct blob_folder folder;

    (void)state;
    assert_int_equal(blob_folder_open(&folder, fixture.path, NULL), OK);
    assert_refused(fixture.path, "another process");
    blob_folder_release(&folder);
    open_and_release();
}

static void uploads_of_this_boot_stay(void **state)
{
    (void)state;
    open_and_release();
    make_file(path_of("uploads/0123456789abcdef0123456789abcdef"), "half of it");
    open_and_release();
    assert_true(exists(path_of("uploads/0123456789abcdef0123456789abcdef")));
}

static void uploads_of_an_earlier_boot_are_dropped(void **state)
{
    static const char *const boots[] = {"", "x", "00000000-0000-4000-8000-000000000000"};

    (void)state;
    open_and_release();
    for (size_t i = 0; i < ARRAY_LEN(boots); i++) {
        make_file(path_of("uploads/0123456789abcdef0123456789abcdef"), "half of it");
        make_file(path_of("sha256/00/published"), "");
        assert_int_equal(unlink(path_of("lock")), 0);
        make_file(path_of("lock"), boots[i]);
        open_and_release();
        assert_false(exists(path_of("uploads/0123456789abcdef0123456789abcdef")));
        assert_true(exists(path_of("sha256/00/published")));
        make_file(path_of("uploads/0123456789abcdef0123456789abcdef"), "new");
        open_and_release();
        assert_true(exists(path_of("uploads/0123456789abcdef0123456789abcdef")));
    }
}

static void place_is_made_of_the_digest(void **state)
{
    static const struct {
        const char *digest;
        const char *folder;
    } cases[] = {
        {"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "e3"},
        {"sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
         "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
         "cf"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct blob_path location;
        struct digest digest;

        assert_int_equal(digest_parse(str_from(cases[i].digest), &digest, NULL), OK);
        blob_path_init(&location, &digest);
        assert_string_equal(location.folder, cases[i].folder);
        assert_string_equal(location.name, cases[i].digest + strlen("sha256:"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(missing_folder_is_created_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(joined_folder_is_read_beside_its_owner, set_up, tear_down),
        cmocka_unit_test_setup_teardown(half_made_folder_is_completed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leftovers_of_a_killed_start_do_no_harm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folder_that_is_none_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folder_without_a_parent_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folder_in_folder_that_is_none_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(symlink_in_the_place_of_a_folder_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(folder_itself_may_be_a_symlink, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folder_of_another_user_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folder_in_use_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(uploads_of_this_boot_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(uploads_of_an_earlier_boot_are_dropped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(place_is_made_of_the_digest, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
