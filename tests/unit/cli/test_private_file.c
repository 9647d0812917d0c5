#include "cli/private_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/cli/client_world.h"

static int set_up(void **state)
{
    *state = client_world_new();
    return 0;
}

static int tear_down(void **state)
{
    client_world_free(*state);
    return 0;
}

static enum error_code read_into(struct client_world *world, const char *path, size_t limit,
                                 const char **text_out, struct error *err)
{
    struct strbuf text;
    enum error_code code = OK;

    strbuf_init(&text, limit);
    code = private_file_read(path, &text, err);
    *text_out = arena_text(&world->arena, strbuf_str(&text));
    strbuf_release(&text);
    return code;
}

static void what_was_written_is_read(void **state)
{
    struct client_world *const world = *state;
    const char *const path = client_world_path(world, "a/b/c.json");
    const char *text = NULL;

    assert_int_equal(private_file_write(path, str_from("one"), NULL), OK);
    assert_int_equal(read_into(world, path, 100, &text, NULL), OK);
    assert_string_equal(text, "one");
    assert_int_equal(private_file_write(path, str_from(""), NULL), OK);
    assert_int_equal(read_into(world, path, 100, &text, NULL), OK);
    assert_string_equal(text, "");
}

static void files_and_folders_are_the_persons_own(void **state)
{
    struct client_world *const world = *state;
    const char *const path = client_world_path(world, "a/b.json");
    const mode_t before = umask(0);

    assert_int_equal(private_file_write(path, str_from("one"), NULL), OK);
    assert_int_equal(client_world_mode(path), 0600);
    assert_int_equal(client_world_mode(client_world_path(world, "a")), 0700);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(private_file_write(path, str_from("two"), NULL), OK);
    assert_int_equal(client_world_mode(path), 0600);
    (void)umask(before);
}

/* As `sudo pierone login` finds it where sudo keeps HOME. Only root can give a file away. */
static void root_leaves_a_file_to_its_owner(void **state)
{
    enum { SOMEBODY = 12345 };
    struct client_world *const world = *state;
    const char *const path = client_world_path(world, "a.json");
    struct stat after;

    if (geteuid() != 0) {
        skip();
    }
    client_world_write(world, path, "one");
    assert_int_equal(chown(path, SOMEBODY, SOMEBODY + 1), 0);
    assert_int_equal(private_file_write(path, str_from("two"), NULL), OK);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(after.st_uid, SOMEBODY);
    assert_int_equal(after.st_gid, SOMEBODY + 1);
    assert_int_equal(client_world_mode(path), 0600);
}

static void a_file_is_replaced_and_not_written_over(void **state)
{
    struct client_world *const world = *state;
    const char *const path = client_world_path(world, "a.json");
    const char *const other = client_world_path(world, "other");

    assert_int_equal(private_file_write(path, str_from("one"), NULL), OK);
    assert_int_equal(link(path, other), 0); /* somebody has it open */
    assert_int_equal(private_file_write(path, str_from("two"), NULL), OK);
    assert_string_equal(client_world_read(world, path), "two");
    assert_string_equal(client_world_read(world, other), "one");
    assert_int_equal(client_world_count(world->folder), 2);
}

static void nothing_is_left_of_what_could_not_be_written(void **state)
{
    struct client_world *const world = *state;
    const char *const folder = client_world_path(world, "taken");
    struct error err = {0};

    client_world_write(world, client_world_path(world, "taken/entry"), "x");
    assert_int_equal(private_file_write(folder, str_from("one"), &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, folder));
    assert_int_equal(client_world_count(world->folder), 1);
}

static void long_files_and_missing_ones_are_told_apart(void **state)
{
    struct client_world *const world = *state;
    const char *const path = client_world_path(world, "a.json");
    struct error err = {0};
    const char *text = NULL;

    assert_int_equal(read_into(world, path, 100, &text, &err), ERROR_NOT_FOUND);
    client_world_write(world, path, "12345678901");
    assert_int_equal(read_into(world, path, 11, &text, &err), OK);
    assert_int_equal(read_into(world, path, 10, &text, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, path));
    assert_int_equal(read_into(world, client_world_path(world, "a.json/b"), 9, &text, &err),
                     ERROR_NOT_FOUND);
    assert_int_equal(read_into(world, world->folder, 10, &text, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, world->folder));
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    struct strbuf path;
    int fd = -1;

    (void)state;
    strbuf_init(&path, 10000);
    for (int i = 0; i < 5000; i++) {
        strbuf_append_text(&path, "x");
    }
    assert_int_equal(private_file_write(path.text, str_from(""), NULL), ERROR_INVALID);
    assert_int_equal(private_file_lock(path.text, &fd, NULL), ERROR_INVALID);
    strbuf_release(&path);
}

static void a_link_stays_a_link(void **state)
{
    struct client_world *const world = *state;
    const char *const path = client_world_path(world, "link");
    const char *const target = client_world_path(world, "elsewhere/file");
    struct stat status;

    client_world_write(world, target, "one");
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(private_file_write(path, str_from("two"), NULL), OK);
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_string_equal(client_world_read(world, target), "two");
}

/* Whether another process would have to wait. */
static bool is_locked(const char *path)
{
    const pid_t child = fork();
    int status = 0;

    if (child == 0) {
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        const int fd = open(path, O_RDWR);

        _exit(fd >= 0 && fcntl(fd, F_SETLK, &whole) < 0 ? 1 : 0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status) == 1;
}

static void a_lock_holds_until_its_descriptor_is_closed(void **state)
{
    struct client_world *const world = *state;
    const char *const path = client_world_path(world, "a/logins.json");
    const char *const lock = client_world_path(world, "a/logins.json.lock");
    int fd = -1;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(private_file_lock(path, &fd, NULL), OK);
        assert_true(is_locked(lock));
        assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
        (void)close(fd);
        assert_false(is_locked(lock));
    }
    assert_int_equal(client_world_mode(lock), 0600);
    assert_null(client_world_read(world, path));
}

static void a_lock_that_cannot_be_had_is_named(void **state)
{
    struct client_world *const world = *state;
    struct error err = {0};
    int fd = -1;

    client_world_write(world, client_world_path(world, "file"), "x");
    assert_int_equal(private_file_lock(client_world_path(world, "file/a"), &fd, &err),
                     ERROR_INVALID);
    assert_non_null(strstr(err.message, client_world_path(world, "file/a")));
    assert_int_equal(fd, -1);
}

static void a_link_to_what_is_not_there_yet_stays_one(void **state)
{
    struct client_world *const world = *state;
    const char *const path = client_world_path(world, "link");
    const char *const target = client_world_path(world, "dotfiles/file");
    struct stat status;

    assert_int_equal(mkdir(client_world_path(world, "dotfiles"), 0700), 0);
    assert_int_equal(symlink("dotfiles/file", path), 0);
    assert_int_equal(private_file_write(path, str_from("one"), NULL), OK);
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_string_equal(client_world_read(world, target), "one");
}

/* As a manager of dotfiles makes them: each in a folder of its own. */
static void a_chain_of_links_to_what_is_not_there_yet_stays_one(void **state)
{
    static const char *const folders[] = {"one", "two", "three"};
    struct client_world *const world = *state;
    const char *const first = client_world_path(world, "one/link");
    const char *const second = client_world_path(world, "two/link");
    struct stat status;

    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        assert_int_equal(mkdir(client_world_path(world, folders[i]), 0700), 0);
    }
    assert_int_equal(symlink("../two/link", first), 0);
    assert_int_equal(symlink(client_world_path(world, "three/file"), second), 0);
    assert_int_equal(private_file_write(first, str_from("one"), NULL), OK);
    assert_int_equal(lstat(first, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(lstat(second, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_string_equal(client_world_read(world, client_world_path(world, "three/file")), "one");
}

static void links_without_an_end_are_refused(void **state)
{
    enum { LINKS = 50 };
    struct client_world *const world = *state;
    struct error err = {0};
    struct stat status;

    for (int i = 0; i < LINKS; i++) {
        char name[32];
        char next[32];

        (void)snprintf(name, sizeof(name), "link%d", i);
        (void)snprintf(next, sizeof(next), "link%d", i + 1);
        assert_int_equal(symlink(next, client_world_path(world, name)), 0);
    }
    assert_int_equal(private_file_write(client_world_path(world, "link0"), str_from("one"), &err),
                     ERROR_INVALID);
    assert_int_equal(private_file_write(client_world_path(world, "link20"), str_from("one"), &err),
                     OK);
    assert_string_equal(client_world_read(world, client_world_path(world, "link50")), "one");
    assert_int_equal(lstat(client_world_path(world, "link28"), &status), 0);
    assert_true(S_ISLNK(status.st_mode));
}

static void links_in_a_circle_are_refused(void **state)
{
    struct client_world *const world = *state;
    const char *const path = client_world_path(world, "link");
    struct error err = {0};

    assert_int_equal(symlink("link", path), 0);
    assert_int_equal(private_file_write(path, str_from("one"), &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_written_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_and_folders_are_the_persons_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(root_leaves_a_file_to_its_owner, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_is_replaced_and_not_written_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_left_of_what_could_not_be_written, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(long_files_and_missing_ones_are_told_apart, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_path_that_is_too_long_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_link_stays_a_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lock_holds_until_its_descriptor_is_closed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_lock_that_cannot_be_had_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_link_to_what_is_not_there_yet_stays_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_chain_of_links_to_what_is_not_there_yet_stays_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(links_without_an_end_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_in_a_circle_are_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
