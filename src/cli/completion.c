#include <string.h>

#include "cli/cli.h"
#include "cli/command.h"

/* Scripts are made from the tables of commands and options, so that they cannot be out of date. */
static void completion_print_options(FILE *file, const char *letters)
{
    for (; *letters != '\0'; letters++) {
        (void)fprintf(file, "--%s ", options_find(*letters)->name);
    }
}

static void print_bash(FILE *file)
{
    size_t count = 0;
    const struct command *const commands = command_all(&count);

    (void)fputs("# bash completion for pierone: source <(pierone completion bash)\n"
                "_pierone() {\n"
                "    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words=\n"
                "    if [ \"${COMP_WORDS[COMP_CWORD-1]}\" = -o ] || "
                "[ \"${COMP_WORDS[COMP_CWORD-1]}\" = --output ]; then\n"
                "        words='text json tsv'\n"
                "    elif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                "        words='",
                file);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(file, "%s%s", i > 0 ? " " : "", commands[i].name);
    }
    (void)fputs("'\n    else\n        case $command in\n", file);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(file, "        %s) words='", commands[i].name);
        completion_print_options(file, commands[i].options);
        completion_print_options(file, global_options);
        (void)fputs(commands[i].run == command_completion ? "bash zsh fish" : "", file);
        (void)fputs("' ;;\n", file);
    }
    (void)fputs("        esac\n    fi\n"
                "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
                "}\n"
                "complete -F _pierone pierone\n",
                file);
}

/* For single quotes. */
static void print_quoted(FILE *file, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            (void)fputs("'\\''", file);
        } else {
            (void)fputc(*text, file);
        }
    }
}

static void print_zsh(FILE *file)
{
    size_t count = 0;
    const struct command *const commands = command_all(&count);

    (void)fputs("#compdef pierone\n"
                "# zsh completion for pierone: source <(pierone completion zsh)\n"
                "_pierone() {\n"
                "    local -a words\n"
                "    if (( CURRENT == 2 )); then\n"
                "        words=(\n",
                file);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(file, "            '%s:", commands[i].name);
        print_quoted(file, commands[i].help);
        (void)fputs("'\n", file);
    }
    (void)fputs("        )\n        _describe command words\n        return\n    fi\n"
                "    case $words[2] in\n",
                file);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(file, "    %s) compadd -- ", commands[i].name);
        completion_print_options(file, commands[i].options);
        completion_print_options(file, global_options);
        (void)fputs(commands[i].run == command_completion ? "bash zsh fish" : "", file);
        (void)fputs(";;\n", file);
    }
    (void)fputs("    esac\n}\n"
                /* As a file of fpath it is the body of the function; sourced, it is not. */
                "if [ \"$funcstack[1]\" = _pierone ]; then _pierone \"$@\"; "
                "else compdef _pierone pierone; fi\n",
                file);
}

static void print_fish(FILE *file)
{
    size_t count = 0;
    size_t option_count = 0;
    const struct command *const commands = command_all(&count);
    const struct option_row *const options = options_all(&option_count);

    (void)fputs("# fish completion for pierone: pierone completion fish | source\n"
                "complete -c pierone -f\n",
                file);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(file, "complete -c pierone -n __fish_use_subcommand -a %s -d '",
                      commands[i].name);
        print_quoted(file, commands[i].help);
        (void)fputs("'\n", file);
    }
    for (size_t i = 0; i < option_count; i++) {
        (void)fprintf(file, "complete -c pierone -l %s%s -d '", options[i].name,
                      options[i].argument ? " -x" : "");
        print_quoted(file, options[i].help);
        (void)fputs("'\n", file);
    }
    (void)fputs("complete -c pierone -n '__fish_seen_subcommand_from completion' "
                "-a 'bash zsh fish'\n",
                file);
}

static const struct {
    const char *shell;
    void (*print)(FILE *file);
} shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};

enum error_code command_completion(struct cli *cli, struct error *err)
{
    const char *const wanted = cli->options.arguments[0];

    for (size_t i = 0; i < ARRAY_LEN(shells); i++) {
        if (strcmp(wanted, shells[i].shell) == 0) {
            shells[i].print(cli->output.file);
            return OK;
        }
    }
    return error_set(err, ERROR_INVALID,
                     "there is a completion script for bash, zsh and fish, not for \"%.64s\"",
                     wanted);
}
