#include "server/data_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/temporary_folder.h"

static int set_up(void **state)
{
    *state = temporary_folder_new();
    return 0;
}

static int tear_down(void **state)
{
    temporary_folder_free(*state);
    return 0;
}

static void a_missing_folder_is_created_private(void **state)
{
    struct data_folder folder;
    char path[PATH_MAX];
    char expected[PATH_MAX];
    struct stat status;

    (void)snprintf(path, sizeof(path), "%s/data", (const char *)*state);
    assert_int_equal(data_folder_open(path, &folder, NULL), OK);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    assert_string_equal(folder.path, path);
    (void)snprintf(expected, sizeof(expected), "%s/data/blobs", (const char *)*state);
    assert_string_equal(folder.blobs, expected);
    (void)snprintf(expected, sizeof(expected), "%s/data/metadata.sqlite", (const char *)*state);
    assert_string_equal(folder.metadata, expected);
    data_folder_release(&folder);
}

static void two_servers_cannot_share_a_folder(void **state)
{
    struct data_folder first;
    struct data_folder second = {0};
    struct error err;

    assert_int_equal(data_folder_open(*state, &first, NULL), OK);
    assert_int_equal(data_folder_open(*state, &second, &err), ERROR_CONFLICT);
    assert_non_null(strstr(err.message, "another pieroned uses the data folder"));
    assert_false(second.is_open);
    data_folder_release(&first);
    assert_int_equal(data_folder_open(*state, &second, NULL), OK);
    data_folder_release(&second);
    data_folder_release(&second);
}

/* Who takes pushes has it alone; who takes none, or only reads, has it with others. */
static void a_folder_is_shared_by_those_who_do_not_write(void **state)
{
    struct data_folder first;
    struct data_folder second;
    struct data_folder third = {0};

    assert_int_equal(data_folder_share(*state, &first, NULL), OK);
    assert_int_equal(data_folder_share(*state, &second, NULL), OK);
    assert_int_equal(data_folder_open(*state, &third, NULL), ERROR_CONFLICT);
    data_folder_release(&first);
    data_folder_release(&second);
    assert_int_equal(data_folder_open(*state, &third, NULL), OK);
    assert_int_equal(data_folder_share(*state, &first, NULL), ERROR_CONFLICT);
    data_folder_release(&third);
}

static void a_relative_path_begins_at_the_working_folder(void **state)
{
    char before[PATH_MAX];
    char found[PATH_MAX];
    char expected[PATH_MAX];

    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(*state), 0);
    assert_int_equal(data_folder_check("data", found, NULL), OK);
    assert_int_equal(chdir(before), 0);
    (void)snprintf(expected, sizeof(expected), "%s/data", (const char *)*state);
    assert_string_equal(found, expected);
}

static void a_check_creates_nothing(void **state)
{
    char path[PATH_MAX];
    char found[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/data", (const char *)*state);
    assert_int_equal(data_folder_check(path, found, NULL), OK);
    assert_string_equal(found, path);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(data_folder_check(*state, found, NULL), OK);
}

static void folders_that_cannot_be_used_are_explained(void **state)
{
    static const struct {
        const char *name;
        const char *message;
    } cases[] = {
        {"missing/data", "No such file or directory"},
        {"file", "Not a directory"},
        {"file/data", "Not a directory"},
    };
    char path[PATH_MAX];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/file", (const char *)*state);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct data_folder folder;
        char found[PATH_MAX];
        struct error err;

        (void)snprintf(path, sizeof(path), "%s/%s", (const char *)*state, cases[i].name);
        assert_int_equal(data_folder_open(path, &folder, &err), ERROR_INVALID);
        assert_non_null(strstr(err.message, cases[i].message));
        assert_int_equal(data_folder_check(path, found, &err), ERROR_INVALID);
        assert_non_null(strstr(err.message, cases[i].message));
    }
}

static void too_long_a_path_is_refused(void **state)
{
    struct data_folder folder;
    char found[PATH_MAX];
    char path[2 * PATH_MAX];

    (void)state;
    memset(path, 'x', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    path[0] = '/';
    assert_int_equal(data_folder_open(path, &folder, NULL), ERROR_INVALID);
    assert_int_equal(data_folder_check(path, found, NULL), ERROR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_missing_folder_is_created_private, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_servers_cannot_share_a_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_is_shared_by_those_who_do_not_write, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_relative_path_begins_at_the_working_folder, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_check_creates_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folders_that_cannot_be_used_are_explained, set_up,
                                        tear_down),
        cmocka_unit_test(too_long_a_path_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
