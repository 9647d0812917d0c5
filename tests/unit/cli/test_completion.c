#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "cli/command.h"
#include "tests/support/temporary_folder.h"

enum { LINE_BYTES = 4096, PATH_BYTES = 512 };

static char *print(const char *shell)
{
    struct cli cli = {.options = {.argument_count = 1, .arguments = {shell}}};
    char *text = NULL;
    size_t length = 0;

    cli.output.file = open_memstream(&text, &length);
    assert_int_equal(command_completion(&cli, NULL), OK);
    (void)fclose(cli.output.file);
    return text;
}

static void every_command_and_option_occurs(void **state)
{
    static const char *const shells[] = {"bash", "zsh", "fish"};
    size_t count = 0;
    size_t option_count = 0;
    const struct command *const commands = command_all(&count);
    const struct option_row *const options = options_all(&option_count);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(shells); i++) {
        char *const text = print(shells[i]);

        for (size_t j = 0; j < count; j++) {
            assert_non_null(strstr(text, commands[j].name));
        }
        for (size_t j = 0; j < option_count; j++) {
            assert_non_null(strstr(text, options[j].name));
        }
        free(text);
    }
}

static void other_shells_are_refused(void **state)
{
    struct cli cli = {.options = {.argument_count = 1, .arguments = {"csh"}}};
    struct error err = {0};

    (void)state;
    assert_int_equal(command_completion(&cli, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "\"csh\""));
}

static void run_bash(const char *command)
{
    const pid_t child = fork();
    int status = -1;

    if (child == 0) {
        (void)execlp("bash", "bash", "-c", command, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* Lets bash complete these words, of which the last is being typed. */
static void assert_completes(const char *folder, const char *words, int count, const char *expected)
{
    char command[LINE_BYTES];
    char path[PATH_BYTES];
    char found[LINE_BYTES] = "";
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "%s/found", folder);
    (void)snprintf(command, sizeof(command),
                   "source %s/script && COMP_WORDS=(%s) COMP_CWORD=%d && _pierone; "
                   "echo \"${COMPREPLY[*]}\" > %s",
                   folder, words, count, path);
    run_bash(command);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(found, sizeof(found), file));
    (void)fclose(file);
    found[strcspn(found, "\n")] = '\0';
    assert_string_equal(found, expected);
}

static void bash_takes_the_script(void **state)
{
    char *const folder = temporary_folder_new();
    char *const text = print("bash");
    char path[PATH_BYTES];
    FILE *file = NULL;

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/script", folder);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    (void)snprintf(path, sizeof(path), "bash -n %s/script", folder);
    run_bash(path);
    assert_completes(folder, "pierone lo", 1, "login logout");
    assert_completes(folder, "pierone mark", 1, "mark-production-ready");
    assert_completes(folder, "pierone tags --li", 2, "--limit");
    assert_completes(folder, "pierone tags -o j", 3, "json");
    assert_completes(folder, "pierone tags --output \"\"", 3, "text json tsv");
    assert_completes(folder, "pierone completion f", 2, "fish");
    assert_completes(folder, "pierone teams --li", 2, "");
    free(text);
    temporary_folder_free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_and_option_occurs),
        cmocka_unit_test(other_shells_are_refused),
        cmocka_unit_test(bash_takes_the_script),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
