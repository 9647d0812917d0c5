#include "cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "cli/options.h"

static void commands_are_found_by_name_or_beginning(void **state)
{
    static const struct {
        const char *name;
        const char *found;
    } cases[] = {
        {"login", "login"},    {"logi", "login"}, {"logo", "logout"},
        {"ta", "tags"},        {"te", "teams"},   {"art", "artifacts"},
        {"a", "artifacts"},    {"w", "whoami"},   {"mark", "mark-production-ready"},
        {"scm", "scm-source"}, {"im", "image"},   {"in", "inspect-contents"},
        {"d", "describe"},     {"cv", "cves"},    {"co", "completion"},
        {"he", "help"},        {"la", "latest"},  {"st", "stats"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct command *command = NULL;

        assert_int_equal(command_find(cases[i].name, &command, NULL), OK);
        assert_string_equal(command->name, cases[i].found);
    }
}

static void other_names_are_refused_with_the_nearest(void **state)
{
    static const struct {
        const char *name;
        const char *told;
    } cases[] = {
        {"lo", "ambiguous command \"lo\": it could be login, logout"},
        {"log", "login, logout"},
        {"t", "it could be teams, tags"},
        {"i", "image, inspect-contents"},
        {"h", "history, help"},
        {"c", "cves, completion"},
        {"s", "scm-source, stats"},
        {"", "unknown command \"\""},
        {"tagz", "\"tags\""},
        {"LOGIN", "unknown"},
        {"loginx", "\"login\""},
        {"artefacts", "\"artifacts\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct command *command = NULL;
        struct error err = {0};

        assert_int_equal(command_find(cases[i].name, &command, &err), ERROR_INVALID);
        assert_non_null(strstr(err.message, cases[i].told));
        assert_null(command);
    }
}

static void rows_are_whole(void **state)
{
    size_t count = 0;
    const struct command *const commands = command_all(&count);

    (void)state;
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        const struct command *found = NULL;

        assert_int_equal(command_find(commands[i].name, &found, NULL), OK);
        assert_ptr_equal(found, &commands[i]);
        assert_non_null(commands[i].run);
        assert_true(commands[i].help[0] != '\0');
        assert_true(commands[i].min_arguments <= commands[i].max_arguments);
        assert_true(commands[i].max_arguments <= ARGUMENTS_MAX);
        assert_int_equal(commands[i].usage[0] == '\0', commands[i].max_arguments == 0);
        for (const char *letter = commands[i].options; *letter != '\0'; letter++) {
            assert_non_null(options_find(*letter));
            assert_null(strchr(global_options, *letter));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_found_by_name_or_beginning),
        cmocka_unit_test(other_names_are_refused_with_the_nearest),
        cmocka_unit_test(rows_are_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
