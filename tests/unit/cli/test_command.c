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
#include "cli/cli.h"
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

static char *print(const struct command *command)
{
    char *text = NULL;
    size_t length = 0;
    FILE *const file = open_memstream(&text, &length);

    help_print(command, file);
    (void)fclose(file);
    return text;
}

static void assert_has(const char *text, const char *before, const char *word)
{
    char wanted[100];

    (void)snprintf(wanted, sizeof(wanted), "%s%s", before, word);
    assert_non_null(strstr(text, wanted));
}

static void every_command_and_option_occurs(void **state)
{
    char *const text = print(NULL);
    size_t count = 0;
    const struct command *const commands = command_all(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_has(text, "\n  ", commands[i].name);
        assert_non_null(strstr(text, commands[i].help));
    }
    for (const char *letter = global_options; *letter != '\0'; letter++) {
        assert_has(text, "--", options_find(*letter)->name);
    }
    free(text);
}

static void each_option_is_explained_by_some_command(void **state)
{
    size_t option_count = 0;
    size_t count = 0;
    const struct option_row *const options = options_all(&option_count);
    const struct command *const commands = command_all(&count);

    (void)state;
    for (size_t i = 0; i < option_count; i++) {
        bool is_explained = strchr(global_options, options[i].letter) != NULL;

        for (size_t j = 0; j < count; j++) {
            if (strchr(commands[j].options, options[i].letter)) {
                char *const text = print(&commands[j]);

                assert_has(text, "--", options[i].name);
                assert_non_null(strstr(text, options[i].help));
                is_explained = true;
                free(text);
            }
        }
        assert_true(is_explained);
    }
}

static void commands_show_how_they_are_used(void **state)
{
    size_t count = 0;
    const struct command *const commands = command_all(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        char *const text = print(&commands[i]);

        assert_has(text, "usage: pierone ", commands[i].name);
        assert_has(text, commands[i].usage[0] != '\0' ? " " : "", commands[i].usage);
        assert_non_null(strstr(text, commands[i].help));
        assert_has(text, "  -h, --", "help");
        free(text);
    }
}

static void lines_fit_into_a_terminal(void **state)
{
    char *const text = print(NULL);
    struct str rest = str_from(text);
    struct str line;

    (void)state;
    while (str_cut(&rest, '\n', &line)) {
        assert_true(line.length <= 110);
    }
    free(text);
}

static void the_command_explains_others(void **state)
{
    struct cli cli = {.options = {.argument_count = 1, .arguments = {"tags"}}};
    struct error err = {0};
    char *text = NULL;
    size_t length = 0;

    (void)state;
    cli.output.file = open_memstream(&text, &length);
    assert_int_equal(command_help(&cli, &err), OK);
    (void)fflush(cli.output.file);
    assert_non_null(strstr(text, "usage: pierone tags"));
    cli.options.arguments[0] = "nonsense";
    assert_int_equal(command_help(&cli, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "nonsense"));
    cli.options.argument_count = 0;
    assert_int_equal(command_help(&cli, &err), OK);
    (void)fclose(cli.output.file);
    assert_non_null(strstr(text, "usage: pierone COMMAND"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_found_by_name_or_beginning),
        cmocka_unit_test(other_names_are_refused_with_the_nearest),
        cmocka_unit_test(rows_are_whole),
        cmocka_unit_test(every_command_and_option_occurs),
        cmocka_unit_test(each_option_is_explained_by_some_command),
        cmocka_unit_test(commands_show_how_they_are_used),
        cmocka_unit_test(lines_fit_into_a_terminal),
        cmocka_unit_test(the_command_explains_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
