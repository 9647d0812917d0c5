#include "server/migrate_command.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "metadata/metadata.h"
#include "tests/support/temporary_folder.h"

enum { WORDS_MAX = 7 };

static int run(const char *const words[WORDS_MAX])
{
    char texts[WORDS_MAX][PATH_MAX];
    char *argv[WORDS_MAX + 1] = {NULL};
    int argc = 0;

    for (; argc < WORDS_MAX && words[argc]; argc++) {
        (void)snprintf(texts[argc], sizeof(texts[argc]), "%s", words[argc]);
        argv[argc] = texts[argc];
    }
    return migrate_command_run(argc, argv);
}

static void help_is_no_failure(void **state)
{
    (void)state;
    assert_int_equal(run((const char *const[WORDS_MAX]){"migrate", "--help"}), 0);
}

static void wrong_words_are_wrong_usage(void **state)
{
    static const char *const lines[][WORDS_MAX] = {
        {"migrate"},
        {"migrate", "--from", "/tmp"},
        {"migrate", "--to", "/tmp"},
        {"migrate", "--from", "/tmp", "--to"},
        {"migrate", "--from", "/tmp", "--to", "/tmp", "now"},
        {"migrate", "--everything"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        assert_int_equal(run(lines[i]), 2);
    }
}

static void folder_without_a_registry_is_a_failure(void **state)
{
    char *from = temporary_folder_new();
    char *to = temporary_folder_new();

    (void)state;
    assert_int_equal(run((const char *const[WORDS_MAX]){"migrate", "--from", from, "--to", to}), 1);
    temporary_folder_free(to);
    temporary_folder_free(from);
}

static void registry_whose_blobs_are_not_found_is_not_begun(void **state)
{
    char *from = temporary_folder_new();
    char *to = temporary_folder_new();
    char path[PATH_MAX];
    struct metadata *metadata = NULL;
    const char *const words[WORDS_MAX] = {"migrate", "--from", from, "--to", to};

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/metadata.sqlite", from);
    assert_int_equal(metadata_open_sqlite(path, &metadata, NULL), OK);
    metadata_free(metadata);
    assert_int_equal(run(words), 1); /* it has no folder of blobs */
    (void)snprintf(path, sizeof(path), "%s/metadata.sqlite", to);
    assert_int_equal(metadata_open_sqlite(path, &metadata, NULL), OK); /* it did not begin */
    metadata_free(metadata);
    temporary_folder_free(to);
    temporary_folder_free(from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_is_no_failure),
        cmocka_unit_test(wrong_words_are_wrong_usage),
        cmocka_unit_test(folder_without_a_registry_is_a_failure),
        cmocka_unit_test(registry_whose_blobs_are_not_found_is_not_begun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
