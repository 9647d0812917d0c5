/* users_file_update, of src/auth/users_file_update.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/users_file.h"
#include "tests/support/temporary_folder.h"

#define HASH "$6$rounds=1000$saltsalt$4GMtaIz3E1AdDi2SmCokEW"
#define OTHER "$5$rounds=1000$saltsalt$R6e4P8ccT9iMqkYg7Z8Yt"

enum { WRITERS = 8, USERS_EACH = 10, SOMEBODY = 12345 };

struct fixture {
    char *folder;
    char path[PATH_MAX];
    struct strbuf text; /* what `text_of` gave last */
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture.folder = temporary_folder_new();
    (void)snprintf(fixture.path, sizeof(fixture.path), "%s/users", fixture.folder);
    strbuf_init_secret(&fixture.text, USERS_FILE_MAX_BYTES);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    strbuf_release(&fixture->text);
    temporary_folder_free(fixture->folder);
    return 0;
}

static void write_file(const char *path, struct str text, mode_t mode)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text.bytes, text.length), (ssize_t)text.length);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static const char *text_of(struct fixture *fixture)
{
    strbuf_clear(&fixture->text);
    assert_int_equal(users_file_read(fixture->path, &fixture->text, NULL), OK);
    return fixture->text.text;
}

static mode_t mode_of(const char *path)
{
    struct stat status;

    assert_int_equal(lstat(path, &status), 0);
    return status.st_mode & 07777;
}

static bool exists(const struct fixture *fixture, const char *end)
{
    char path[PATH_MAX + 8];
    struct stat status;

    (void)snprintf(path, sizeof(path), "%s%s", fixture->path, end);
    return lstat(path, &status) == 0;
}

static enum error_code add(struct fixture *fixture, const char *name, const char *teams,
                           struct error *err)
{
    const struct user user = {str_from(name), str_from(HASH), str_from(teams)};

    return users_file_update(fixture->path, &user, USERS_ADD, err);
}

static enum error_code change(struct fixture *fixture, const char *name, const char *hash,
                              const char *teams)
{
    const struct user user = {str_from(name), str_from(hash), str_from(teams)};

    return users_file_update(fixture->path, &user, USERS_CHANGE, NULL);
}

static void the_first_user_makes_a_private_file(void **state)
{
    struct fixture *fixture = *state;
    const mode_t usual = umask(0);

    assert_int_equal(add(fixture, "alice", "payments\ncheckout\n", NULL), OK);
    (void)umask(usual);
    assert_string_equal(text_of(fixture), "alice:" HASH ":payments,checkout\n");
    assert_int_equal(mode_of(fixture->path), 0600);
    assert_false(exists(fixture, ".new"));
}

static void all_other_lines_stay_as_they_are(void **state)
{
    struct fixture *fixture = *state;

    write_file(fixture->path,
               str_from("# people: alice:x:y\n\n  bob:" HASH ":  team , other\n#end"), 0600);
    assert_int_equal(add(fixture, "alice", "", NULL), OK);
    assert_string_equal(text_of(fixture), "# people: alice:x:y\n\n  bob:" HASH
                                          ":  team , other\n#end\nalice:" HASH ":\n");
    assert_int_equal(change(fixture, "alice", OTHER, "a\n"), OK);
    assert_string_equal(text_of(fixture), "# people: alice:x:y\n\n  bob:" HASH
                                          ":  team , other\n#end\nalice:" OTHER ":a\n");
}

static void hash_and_teams_change_by_themselves(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(add(fixture, "alice", "payments\n", NULL), OK);
    assert_int_equal(add(fixture, "bob", "payments\n", NULL), OK);
    assert_int_equal(change(fixture, "alice", OTHER, NULL), OK);
    assert_string_equal(text_of(fixture), "alice:" OTHER ":payments\nbob:" HASH ":payments\n");
    assert_int_equal(change(fixture, "alice", NULL, "a\nb\n"), OK);
    assert_string_equal(text_of(fixture), "alice:" OTHER ":a,b\nbob:" HASH ":payments\n");
    assert_int_equal(change(fixture, "alice", NULL, ""), OK);
    assert_string_equal(text_of(fixture), "alice:" OTHER ":\nbob:" HASH ":payments\n");
}

static void a_user_who_is_there_is_not_added_again(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    assert_int_equal(add(fixture, "alice", "payments\n", NULL), OK);
    assert_int_equal(add(fixture, "alice", "other\n", &err), ERROR_CONFLICT);
    assert_non_null(strstr(err.message, "alice"));
    assert_non_null(strstr(err.message, "pieroned user passwd"));
    assert_string_equal(text_of(fixture), "alice:" HASH ":payments\n");
}

static void nobody_unknown_is_changed(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(change(fixture, "alice", OTHER, NULL), ERROR_NOT_FOUND);
    assert_false(exists(fixture, ""));
    assert_int_equal(add(fixture, "alice", "", NULL), OK);
    assert_int_equal(change(fixture, "alic", OTHER, NULL), ERROR_NOT_FOUND);
    assert_string_equal(text_of(fixture), "alice:" HASH ":\n");
}

static void a_wrong_file_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    write_file(fixture->path, str_from("alice:" HASH ":\nbob\n"), 0600);
    assert_int_equal(add(fixture, "carol", "", &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, fixture->path));
    assert_non_null(strstr(err.message, "line 2"));
    assert_string_equal(text_of(fixture), "alice:" HASH ":\nbob\n");
}

static void what_could_not_be_read_again_is_not_written(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(add(fixture, "alice", "", NULL), OK);
    assert_int_equal(add(fixture, "al:ice", "", NULL), ERROR_INVALID);
    assert_int_equal(change(fixture, "alice", "abhfCpXqd4GrI", NULL), ERROR_INVALID);
    assert_int_equal(change(fixture, "alice", NULL, "a:b\n"), ERROR_INVALID);
    assert_string_equal(text_of(fixture), "alice:" HASH ":\n");
    assert_false(exists(fixture, ".new"));
}

static void a_file_does_not_grow_beyond_its_bound(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    write_file(fixture->path, str_from("# "), 0600);
    strbuf_clear(&fixture->text);
    while (fixture->text.length < USERS_FILE_MAX_BYTES - 16) {
        strbuf_append_byte(&fixture->text, '#');
    }
    write_file(fixture->path, strbuf_str(&fixture->text), 0600);
    assert_int_equal(add(fixture, "alice", "", &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "larger than 1048576 bytes"));
    assert_int_equal(strlen(text_of(fixture)), USERS_FILE_MAX_BYTES - 16);
}

static void mode_and_owner_stay(void **state)
{
    struct fixture *fixture = *state;
    struct stat status;

    write_file(fixture->path, str_from("alice:" HASH ":\n"), 0640);
    if (geteuid() == 0) {
        assert_int_equal(chown(fixture->path, SOMEBODY, SOMEBODY + 1), 0);
    }
    assert_int_equal(change(fixture, "alice", OTHER, NULL), OK);
    assert_int_equal(mode_of(fixture->path), 0640);
    assert_int_equal(stat(fixture->path, &status), 0);
    if (geteuid() == 0) {
        assert_int_equal(status.st_uid, SOMEBODY);
        assert_int_equal(status.st_gid, SOMEBODY + 1);
    }
}

static void what_root_makes_in_a_services_folder_is_the_services(void **state)
{
    struct fixture *fixture = *state;
    struct stat status;

    if (geteuid() != 0) {
        skip();
    }
    assert_int_equal(chown(fixture->folder, SOMEBODY, SOMEBODY + 1), 0);
    assert_int_equal(add(fixture, "alice", "", NULL), OK);
    assert_int_equal(stat(fixture->path, &status), 0);
    assert_int_equal(status.st_uid, SOMEBODY);
    assert_int_equal(status.st_gid, SOMEBODY + 1);
    assert_int_equal(mode_of(fixture->path), 0600);
}

static void a_symbolic_link_is_refused_not_replaced(void **state)
{
    struct fixture *fixture = *state;
    char target[PATH_MAX];
    struct error err = {0};

    (void)snprintf(target, sizeof(target), "%s/target", fixture->folder);
    write_file(target, str_from("alice:" HASH ":\n"), 0600);
    assert_int_equal(symlink(target, fixture->path), 0);
    assert_int_equal(add(fixture, "bob", "", &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "symbolic link"));
    assert_string_equal(text_of(fixture), "alice:" HASH ":\n"); /* reading follows it */
}

static void links_in_the_way_are_not_followed(void **state)
{
    struct fixture *fixture = *state;
    char target[PATH_MAX];
    char link[PATH_MAX + 8];

    (void)snprintf(target, sizeof(target), "%s/target", fixture->folder);
    (void)snprintf(link, sizeof(link), "%s.new", fixture->path);
    write_file(target, str_from("precious"), 0600);
    assert_int_equal(symlink(target, link), 0);
    assert_int_equal(add(fixture, "alice", "", NULL), OK);
    assert_int_equal(unlink(fixture->path), 0);
    (void)snprintf(link, sizeof(link), "%s.lock", fixture->path);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(symlink(target, link), 0);
    assert_int_equal(add(fixture, "alice", "", NULL), ERROR_INTERNAL);
    strbuf_clear(&fixture->text);
    assert_int_equal(users_file_read(target, &fixture->text, NULL), OK);
    assert_string_equal(fixture->text.text, "precious");
}

static void a_file_left_by_one_that_was_killed_is_no_hindrance(void **state)
{
    struct fixture *fixture = *state;
    char left[PATH_MAX + 8];

    (void)snprintf(left, sizeof(left), "%s.new", fixture->path);
    write_file(left, str_from("alice:"), 0600);
    assert_int_equal(add(fixture, "bob", "", NULL), OK);
    assert_string_equal(text_of(fixture), "bob:" HASH ":\n");
}

static void a_missing_folder_is_named(void **state)
{
    struct fixture *fixture = *state;
    const struct user user = {str_from("alice"), str_from(HASH), str_from("")};
    struct error err = {0};
    char path[PATH_MAX + 16];

    (void)snprintf(path, sizeof(path), "%s/none/users", fixture->folder);
    assert_int_equal(users_file_update(path, &user, USERS_ADD, &err), ERROR_INTERNAL);
    assert_non_null(strstr(err.message, "/none/users"));
    memset(path, 'x', PATH_MAX - 1);
    path[PATH_MAX - 1] = '\0';
    assert_int_equal(users_file_update(path, &user, USERS_ADD, NULL), ERROR_INVALID);
}

/* In a process of its own: flock is between open files, and so are those of the command. */
static int add_many(struct fixture *fixture, int writer)
{
    for (int i = 0; i < USERS_EACH; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "user-%d-%d", writer, i);
        if (add(fixture, name, "team\n", NULL)) {
            return EXIT_FAILURE;
        }
    }
    return EXIT_SUCCESS;
}

static void changes_at_the_same_time_lose_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct users_file file;
    pid_t writers[WRITERS];
    int status = 0;

    for (int i = 0; i < WRITERS; i++) {
        writers[i] = fork();
        assert_true(writers[i] >= 0);
        if (writers[i] == 0) {
            _exit(add_many(fixture, i));
        }
    }
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(waitpid(writers[i], &status, 0), writers[i]);
        assert_int_equal(status, EXIT_SUCCESS);
    }
    assert_int_equal(users_file_parse(str_from(text_of(fixture)), &file, NULL), OK);
    assert_int_equal(file.count, WRITERS * USERS_EACH);
    users_file_release(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_user_makes_a_private_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_other_lines_stay_as_they_are, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hash_and_teams_change_by_themselves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_user_who_is_there_is_not_added_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_unknown_is_changed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_file_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_could_not_be_read_again_is_not_written, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_file_does_not_grow_beyond_its_bound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mode_and_owner_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_root_makes_in_a_services_folder_is_the_services,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_symbolic_link_is_refused_not_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_in_the_way_are_not_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_left_by_one_that_was_killed_is_no_hindrance, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_missing_folder_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changes_at_the_same_time_lose_nothing, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
