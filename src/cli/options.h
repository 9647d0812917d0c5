#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "cli/output.h"

struct command;

enum { ARGUMENTS_MAX = 64 };

/* What the command line says. Borrows from argv. */
struct options {
    const struct command *command; /* NULL: none was named */
    const char *arguments[ARGUMENTS_MAX];
    size_t argument_count;

    const char *url; /* NULL: not given */
    enum output_format format;
    uint64_t limit; /* 0: not given */
    const char *user;
    bool wants_help;
    bool wants_version;
    bool by_device;
    bool password_on_stdin;
    bool without_helper;
    bool with_dockercfg;
};

/*
 * An option. `letter` names it also where it has no short form (is_long_only); `argument` is what
 * its value is called in the help, NULL if it takes none.
 */
struct option_row {
    char letter;
    bool is_long_only;
    const char *name;
    const char *argument;
    const char *help;
};

/* All options; those in `global_options` (their letters) go with every command. */
const struct option_row *options_all(size_t *count_out);
extern const char global_options[];

/* The option that a letter names; NULL if none does. */
const struct option_row *options_find(char letter);

/*
 * Reads a command line: options may stand anywhere, `--` ends them, commands and long options may
 * be cut as long as they are unique. ERROR_INVALID says what is wrong.
 */
MUST_USE enum error_code options_parse(int argc, char *const argv[], struct options *options_out,
                                       struct error *err);
