#include "server/sweep_command.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "tests/support/temporary_folder.h"

enum { WORDS_MAX = 6 };

static int run(const char *const words[WORDS_MAX])
{
    char *const environment[] = {NULL};
    char texts[WORDS_MAX][PATH_MAX];
    char *argv[WORDS_MAX + 1] = {NULL};
    int argc = 0;

    for (; argc < WORDS_MAX && words[argc]; argc++) {
        (void)snprintf(texts[argc], sizeof(texts[argc]), "%s", words[argc]);
        argv[argc] = texts[argc];
    }
    return sweep_command_run(argc, argv, environment);
}

static void help_is_no_failure(void **state)
{
    (void)state;
    assert_int_equal(run((const char *const[WORDS_MAX]){"sweep", "--help"}), 0);
}

static void wrong_words_are_wrong_usage(void **state)
{
    static const char *const lines[][WORDS_MAX] = {{"sweep", "everything"},
                                                   {"sweep", "--all"},
                                                   {"sweep", "--data"},
                                                   {"sweep", "--delete=yes"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        assert_int_equal(run(lines[i]), 2);
    }
}

static void folder_without_a_registry_is_a_failure(void **state)
{
    char *const folder = temporary_folder_new();

    (void)state;
    assert_int_equal(run((const char *const[WORDS_MAX]){"sweep", "--data", folder}), 1);
    temporary_folder_free(folder);
}

static void age_is_a_time_and_no_shorter_than_a_push(void **state)
{
    (void)state;
    assert_int_equal(run((const char *const[WORDS_MAX]){"sweep", "--older-than", "1h"}), 1);
    assert_int_equal(run((const char *const[WORDS_MAX]){"sweep", "--older-than", "old"}), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_is_no_failure),
        cmocka_unit_test(wrong_words_are_wrong_usage),
        cmocka_unit_test(folder_without_a_registry_is_a_failure),
        cmocka_unit_test(age_is_a_time_and_no_shorter_than_a_push),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
