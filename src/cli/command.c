#include "cli/command.h"

#include <string.h>

#include "base/nearest.h"
#include "base/strbuf.h"
#include "cli/cli.h"
#include "cli/options.h"

enum { FITTING_MAX_BYTES = 256 };

/* In the order of the help. */
static const struct command commands[] = {
    {"login", "", "log in, and set up Docker for it", "DuPNF", 0, 0, command_login},
    {"logout", "", "forget the login, here and in Docker's configuration", "", 0, 0,
     command_logout},
    {"whoami", "", "show as whom you are logged in", "", 0, 0, command_whoami},
    {"teams", "", "list the teams", "", 0, 0, command_teams},
    {"artifacts", "TEAM", "list the artifacts of a team", "", 1, 1, command_artifacts},
    {"tags", "TEAM [ARTIFACT...]", "list tags, the newest last", "l", 1, ARGUMENTS_MAX,
     command_tags},
    {"latest", "TEAM ARTIFACT", "print the newest tag", "", 2, 2, command_latest},
    {"describe", "TEAM ARTIFACT TAG", "show all that is known of a tag", "", 3, 3,
     command_describe},
    {"scm-source", "TEAM ARTIFACT [TAG...]", "show what tags were built from", "l", 2,
     ARGUMENTS_MAX, command_scm_source},
    {"history", "TEAM ARTIFACT [TAG]", "show what became of tags: when, by whom, to which digest",
     "l", 2, 3, command_history},
    {"image", "ID", "list the tags of an image, by its id or its first digits", "", 1, 1,
     command_image},
    {"inspect-contents", "TEAM ARTIFACT [TAG...]", "list the files of image layers", "l", 2,
     ARGUMENTS_MAX, command_inspect_contents},
    {"mark-production-ready", "INCIDENT TEAM ARTIFACT TAG", "release a tag to production", "", 4, 4,
     command_mark_production_ready},
    {"stats", "[TEAM]", "count teams, artifacts, tags and bytes", "", 0, 1, command_stats},
    {"cves", "[TEAM ARTIFACT TAG]", "gone: says what to use instead", "", 0, 3, command_cves},
    {"completion", "bash|zsh|fish", "print a completion script for a shell", "", 1, 1,
     command_completion},
    {"help", "[COMMAND]", "explain a command", "", 0, 1, command_help},
};

const struct command *command_all(size_t *count_out)
{
    *count_out = ARRAY_LEN(commands);
    return commands;
}

static enum error_code ambiguous(const char *name, struct error *err)
{
    struct strbuf fitting;

    strbuf_init(&fitting, FITTING_MAX_BYTES);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strncmp(name, commands[i].name, strlen(name)) == 0) {
            strbuf_append_format(&fitting, "%s%s", fitting.length > 0 ? ", " : "",
                                 commands[i].name);
        }
    }
    (void)error_set(err, ERROR_INVALID, "ambiguous command \"%.64s\": it could be %s", name,
                    fitting.text);
    strbuf_release(&fitting);
    return ERROR_INVALID;
}

static enum error_code unknown(const char *name, struct error *err)
{
    struct nearest nearest;
    char hint[NEAREST_HINT_BYTES];

    nearest_init(&nearest, str_from(name));
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        nearest_offer(&nearest, str_from(commands[i].name));
    }
    nearest_hint(&nearest, hint);
    return error_set(err, ERROR_INVALID, "unknown command \"%.64s\"%s", name, hint);
}

enum error_code command_find(const char *name, const struct command **command_out,
                             struct error *err)
{
    const size_t length = strlen(name);
    const struct command *found = NULL;
    size_t fitting = 0;

    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(name, commands[i].name) == 0) {
            *command_out = &commands[i];
            return OK;
        }
        if (length > 0 && strncmp(name, commands[i].name, length) == 0) {
            found = &commands[i];
            fitting++;
        }
    }
    if (fitting != 1) {
        return fitting > 1 ? ambiguous(name, err) : unknown(name, err);
    }
    *command_out = found;
    return OK;
}

enum { COMMAND_COLUMN = 26, OPTION_COLUMN = 30 };

static void print_option(const struct option_row *row, FILE *file)
{
    int used = row->is_long_only ? fprintf(file, "      ") : fprintf(file, "  -%c, ", row->letter);

    used += fprintf(file, "--%s%s%s", row->name, row->argument ? " " : "",
                    row->argument ? row->argument : "");
    (void)fprintf(file, "%*s%s\n", used < OPTION_COLUMN ? OPTION_COLUMN - used : 1, "", row->help);
}

static void command_print_options(const char *letters, FILE *file)
{
    for (; *letters != '\0'; letters++) {
        print_option(options_find(*letters), file);
    }
}

void help_print(const struct command *command, FILE *file)
{
    if (command) {
        (void)fprintf(file, "usage: pierone %s%s%s [OPTION]...\n\n  %s\n", command->name,
                      command->usage[0] != '\0' ? " " : "", command->usage, command->help);
        if (command->options[0] != '\0') {
            (void)fputs("\n", file);
            command_print_options(command->options, file);
        }
    } else {
        (void)fputs("usage: pierone COMMAND [ARGUMENT]... [OPTION]...\n"
                    "The client of the Pier One container registry.\n\n",
                    file);
        for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
            (void)fprintf(file, "  %-*s%s\n", COMMAND_COLUMN, commands[i].name, commands[i].help);
        }
        (void)fputs("\nCommands may be cut as long as they are unique: `pierone art`. "
                    "`pierone help COMMAND` says more.\n",
                    file);
    }
    (void)fputs("\nOptions of all commands:\n", file);
    command_print_options(global_options, file);
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
