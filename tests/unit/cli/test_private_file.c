#include "cli/private_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "tests/support/temporary_folder.h"

static char *folder;

static const char *in_folder(const char *name)
{
    static char path[512];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    folder = temporary_folder_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    temporary_folder_free(folder);
    return 0;
}

static void write_file(const char *name, const char *content)
{
    FILE *file = fopen(in_folder(name), "w");

    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static const char *read_file(const char *name)
{
    static char content[4096];
    FILE *file = fopen(in_folder(name), "r");
    size_t length = 0;

    assert_non_null(file);
    length = fread(content, 1, sizeof(content) - 1, file);
    content[length] = '\0';
    assert_int_equal(fclose(file), 0);
    return content;
}

static unsigned mode_of(const char *name)
{
    struct stat status;

    assert_int_equal(stat(in_folder(name), &status), 0);
    return status.st_mode & 07777;
}

static void files_are_written_in_one_step(void **state)
{
    (void)state;
    assert_int_equal(private_file_write(in_folder("a/b/file"), str_from("one"), NULL), OK);
    assert_int_equal(private_file_write(in_folder("a/b/file"), str_from("two"), NULL), OK);
    assert_string_equal(read_file("a/b/file"), "two");
    assert_int_equal(mode_of("a/b/file"), 0600);
    assert_int_equal(mode_of("a/b"), 0700);
}

static void a_file_that_all_could_read_is_private_afterwards(void **state)
{
    (void)state;
    write_file("file", "old");
    assert_int_equal(chmod(in_folder("file"), 0644), 0);
    assert_int_equal(private_file_write(in_folder("file"), str_from("new"), NULL), OK);
    assert_int_equal(mode_of("file"), 0600);
}

static void links_stay_links(void **state)
{
    char target[512];
    struct stat status;

    (void)state;
    write_file("real", "old");
    (void)snprintf(target, sizeof(target), "%s", in_folder("real"));
    assert_int_equal(symlink(target, in_folder("link")), 0);
    assert_int_equal(private_file_write(in_folder("link"), str_from("new"), NULL), OK);
    assert_int_equal(lstat(in_folder("link"), &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_string_equal(read_file("real"), "new");
}

static void reading_is_limited(void **state)
{
    struct strbuf buf;
    struct error err = {0};

    (void)state;
    write_file("file", "12345");
    strbuf_init(&buf, 5);
    assert_int_equal(private_file_read(in_folder("file"), &buf, NULL), OK);
    assert_string_equal(buf.text, "12345");
    strbuf_release(&buf);
    strbuf_init(&buf, 4);
    assert_int_equal(private_file_read(in_folder("file"), &buf, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "/file"));
    assert_int_equal(private_file_read(in_folder("none"), &buf, NULL), ERROR_NOT_FOUND);
    assert_int_equal(private_file_read(in_folder("file/below"), &buf, NULL), ERROR_NOT_FOUND);
    assert_int_equal(private_file_read(folder, &buf, &err), ERROR_INVALID);
    strbuf_release(&buf);
}

static void what_cannot_be_written_is_said_and_leaves_nothing(void **state)
{
    struct error err = {0};

    (void)state;
    write_file("file", "");
    assert_int_equal(private_file_write(in_folder("file/below"), str_from("x"), &err),
                     ERROR_INVALID);
    assert_non_null(strstr(err.message, "/file"));
    assert_int_equal(mkdir(in_folder("folder"), 0700), 0);
    assert_int_equal(private_file_write(in_folder("folder"), str_from("x"), &err), ERROR_INVALID);
    assert_int_equal(rmdir(in_folder("folder")), 0); /* it was left, empty */
}

/* Whether another process gets the lock at once. */
static bool is_free(const char *name)
{
    const pid_t child = fork();
    int status = 0;

    if (child == 0) {
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        const int fd = open(in_folder(name), O_RDWR | O_CLOEXEC);

        _exit(fd >= 0 && fcntl(fd, F_SETLK, &whole) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status == 0;
}

static void a_lock_is_held_against_others(void **state)
{
    int fd = -1;

    (void)state;
    assert_int_equal(private_file_lock(in_folder("sub/file"), &fd, NULL), OK);
    assert_false(is_free("sub/file.lock"));
    assert_int_equal(close(fd), 0);
    assert_true(is_free("sub/file.lock"));
    assert_int_equal(mode_of("sub/file.lock"), 0600);
    write_file("file", "");
    assert_int_equal(private_file_lock(in_folder("file/below"), &fd, NULL), ERROR_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest private_file[] = {
        TEST(files_are_written_in_one_step),
        TEST(a_file_that_all_could_read_is_private_afterwards),
        TEST(links_stay_links),
        TEST(reading_is_limited),
        TEST(what_cannot_be_written_is_said_and_leaves_nothing),
        TEST(a_lock_is_held_against_others),
    };

    return cmocka_run_group_tests(private_file, NULL, NULL);
}
