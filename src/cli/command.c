#include "cli/command.h"

#include <string.h>

#include "base/nearest.h"
#include "base/strbuf.h"
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

static enum error_code ambiguous(const char *name, struct error *err);
static enum error_code unknown(const char *name, struct error *err);

const struct command *command_all(size_t *count_out)
{
    *count_out = ARRAY_LEN(commands);
    return commands;
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
