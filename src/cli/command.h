#pragma once

#include <stddef.h>
#include <stdio.h>

#include "base/attributes.h"
#include "base/error.h"

struct cli;

/* A command: a row of the table that help, completions and manual are made of. */
struct command {
    const char *name;
    const char *usage; /* its arguments; empty: none */
    const char *help;
    const char *options; /* letters of those beside the global ones */
    size_t min_arguments;
    size_t max_arguments;
    enum error_code (*run)(struct cli *cli, struct error *err);
};

const struct command *command_all(size_t *count_out);

/* By its name or a beginning of it that no other has. ERROR_INVALID names those that it could be.
 */
MUST_USE enum error_code command_find(const char *name, const struct command **command_out,
                                      struct error *err);

/* What they do; each in the file of its subject. */
enum error_code command_login(struct cli *cli, struct error *err);
enum error_code command_logout(struct cli *cli, struct error *err);
enum error_code command_whoami(struct cli *cli, struct error *err);
enum error_code command_teams(struct cli *cli, struct error *err);
enum error_code command_artifacts(struct cli *cli, struct error *err);
enum error_code command_tags(struct cli *cli, struct error *err);
enum error_code command_latest(struct cli *cli, struct error *err);
enum error_code command_describe(struct cli *cli, struct error *err);
enum error_code command_scm_source(struct cli *cli, struct error *err);
enum error_code command_history(struct cli *cli, struct error *err);
enum error_code command_image(struct cli *cli, struct error *err);
enum error_code command_inspect_contents(struct cli *cli, struct error *err);
enum error_code command_mark_production_ready(struct cli *cli, struct error *err);
enum error_code command_stats(struct cli *cli, struct error *err);
enum error_code command_cves(struct cli *cli, struct error *err);
enum error_code command_completion(struct cli *cli, struct error *err);
enum error_code command_help(struct cli *cli, struct error *err);

/* ERROR_NOT_FOUND about a team that has no artifacts; names the nearest that has. */
enum error_code command_unknown_team(struct cli *cli, const char *team, struct error *err);

/* What a command about something of a team ends with: its code, but of ERROR_NOT_FOUND the message
 * is about the team, if it is the team that is not there. */
enum error_code command_explain(struct cli *cli, const char *team, enum error_code code,
                                struct error *err);

/* What --help prints: of the program (command NULL), or of one command. */
void help_print(const struct command *command, FILE *file);
