#include "cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void commands_may_be_cut(void **state)
{
    static const char *const rows[][2] = {
        {"teams", "teams"},
        {"te", "teams"},
        {"a", "artifacts"},
        {"tags", "tags"},
        {"latest", "latest"},
        {"la", "latest"},
        {"inspect", "inspect-contents"},
        {"logi", "login"},
        {"sc", "scm-source"},
        {"help", "help"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct command *command = NULL;

        assert_int_equal(command_find(rows[i][0], &command, NULL), OK);
        assert_string_equal(command->name, rows[i][1]);
    }
}

static void what_is_no_command_is_refused(void **state)
{
    static const char *const rows[][2] = {
        {"", "unknown"},         {"log", "ambiguous"},  {"s", "ambiguous"},
        {"t", "ambiguous"},      {"team s", "unknown"}, {"tegs", "did you mean \"tags\""},
        {"nonsense", "unknown"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct command *command = NULL;
        struct error err = {0};

        assert_int_equal(command_find(rows[i][0], &command, &err), ERROR_INVALID);
        assert_non_null(strstr(err.message, rows[i][1]));
        assert_null(command);
    }
}

static void each_row_is_whole(void **state)
{
    size_t count = 0;
    const struct command *const commands = command_all(&count);

    (void)state;
    assert_true(count > 10);
    for (size_t i = 0; i < count; i++) {
        assert_non_null(commands[i].run);
        assert_true(commands[i].min_arguments <= commands[i].max_arguments);
        assert_true(commands[i].help[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest command[] = {
        cmocka_unit_test(commands_may_be_cut),
        cmocka_unit_test(what_is_no_command_is_refused),
        cmocka_unit_test(each_row_is_whole),
    };

    return cmocka_run_group_tests(command, NULL, NULL);
}
