#pragma once

#include "cli/cli.h"
#include "tests/support/stub_server.h"
#include "tests/unit/cli/client_world.h"

/* A client_world with a registry in it that answers what a test has written down, for whole
 * commands. */
enum { COMMAND_WORLD_LINE_BYTES = 512 };

struct command_world {
    struct client_world *world;
    const char *answers[STUB_ANSWERS_MAX + 1];
    size_t answer_count;
    struct stub_server *server;
    const char *host; /* once there is a server */
    struct cli cli;   /* once it is open */
    bool is_open;
    char line[COMMAND_WORLD_LINE_BYTES];
    FILE *files[2];
    char *texts[2];
    size_t lengths[2];
};

struct command_world *command_world_new(void);
void command_world_free(struct command_world *world);

/* The next answer of the registry; fields end with CRLF each, or are empty. */
void command_world_answer(struct command_world *world, int status, const char *fields,
                          const char *body);

/* Starts the registry; PIERONE_URL says where it is. */
void command_world_serve(struct command_world *world);

/* Forgets server, answers and variables; files stay. */
void command_world_reset(struct command_world *world);

/* Opens a cli for a command line (`tags team -o json`), whose registry is started if there is none
 * yet; runs it, and closes it. */
void command_world_open(struct command_world *world, const char *line);
enum error_code command_world_run(struct command_world *world, const char *line, struct error *err);
void command_world_close(struct command_world *world);

/* What the last one has printed: as results, and for the person. */
const char *command_world_results(struct command_world *world);
const char *command_world_chatter(struct command_world *world);
