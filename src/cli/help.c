#include "cli/help.h"

#include <string.h>

#include "cli/cli.h"
#include "cli/command.h"

enum { COMMAND_COLUMN = 26, OPTION_COLUMN = 30 };

static void print_options(const char *letters, FILE *file);
static void print_option(const struct option_row *row, FILE *file);

void help_print(const struct command *command, FILE *file)
{
    size_t count = 0;
    const struct command *const commands = command_all(&count);

    if (command) {
        (void)fprintf(file, "usage: pierone %s%s%s [OPTION]...\n\n  %s\n", command->name,
                      command->usage[0] != '\0' ? " " : "", command->usage, command->help);
        if (command->options[0] != '\0') {
            (void)fputs("\n", file);
            print_options(command->options, file);
        }
    } else {
        (void)fputs("usage: pierone COMMAND [ARGUMENT]... [OPTION]...\n"
                    "The client of the Pier One container registry.\n\n",
                    file);
        for (size_t i = 0; i < count; i++) {
            (void)fprintf(file, "  %-*s%s\n", COMMAND_COLUMN, commands[i].name, commands[i].help);
        }
        (void)fputs("\nCommands may be cut as long as they are unique: `pierone art`. "
                    "`pierone help COMMAND` says more.\n",
                    file);
    }
    (void)fputs("\nOptions of all commands:\n", file);
    print_options(global_options, file);
}

static void print_options(const char *letters, FILE *file)
{
    for (; *letters != '\0'; letters++) {
        print_option(options_find(*letters), file);
    }
}

static void print_option(const struct option_row *row, FILE *file)
{
    int used = row->is_long_only ? fprintf(file, "      ") : fprintf(file, "  -%c, ", row->letter);

    used += fprintf(file, "--%s%s%s", row->name, row->argument ? " " : "",
                    row->argument ? row->argument : "");
    (void)fprintf(file, "%*s%s\n", used < OPTION_COLUMN ? OPTION_COLUMN - used : 1, "", row->help);
}

enum error_code command_help(struct cli *cli, struct error *err)
{
    const struct command *about = NULL;

    if (cli->options.argument_count > 0 && command_find(cli->options.arguments[0], &about, err)) {
        return ERROR_INVALID;
    }
    help_print(about, cli->output.file);
    return OK;
}
