#pragma once

#include <stddef.h>

#include "base/attributes.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "server/settings.h"

/* What pieroned is asked to do. */
enum command {
    COMMAND_SERVE = 0,
    COMMAND_CHECK_CONFIG,
    COMMAND_PRINT_MARKDOWN,
    COMMAND_PRINT_YAML,
    COMMAND_PRINT_MAN,
    COMMAND_VERSION,
    COMMAND_HELP,
};

enum { OPTIONS_MAX_OVERRIDES = 16 };

/* The command line, taken apart. Borrows from argv. */
struct options {
    enum command command;
    const char *file; /* NULL: none was given */
    struct settings_override overrides[OPTIONS_MAX_OVERRIDES];
    size_t override_count;
};

/* ERROR_INVALID says what is wrong with the command line. Not for several threads at once. */
MUST_USE enum error_code options_parse(int argc, char *const argv[], struct options *options_out,
                                       struct error *err);

/* Appends what --help prints. */
void options_append_help(struct strbuf *buf);
