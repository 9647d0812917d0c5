#pragma once

#include "base/arena.h"
#include "cli/access.h"
#include "cli/config.h"
#include "tests/support/fake_clock.h"

/*
 * What a client runs in, for the tests of it: a folder that is its HOME, variables, a clock. Texts
 * that functions give back live as long as the world.
 */
enum { CLIENT_WORLD_VARIABLES = 16 };

struct client_world {
    char *folder;
    struct arena arena;
    struct fake_clock clock;
    char *variables[CLIENT_WORLD_VARIABLES + 1];
    size_t variable_count;
    struct environment environment;
    struct paths paths;
};

/* With HOME set, and no other variable. */
struct client_world *client_world_new(void);
void client_world_free(struct client_world *world);

/* `NAME=value`; where the value has %s, the folder stands. */
void client_world_set(struct client_world *world, const char *variable);
void client_world_unset_all(struct client_world *world);

/* A path within the folder. */
const char *client_world_path(struct client_world *world, const char *name);

/* Writes a file, with the folders above it; reads one, NULL if there is none. */
void client_world_write(struct client_world *world, const char *path, const char *text);
const char *client_world_read(struct client_world *world, const char *path);

/* Runs a program in that folder, standard input at its end; gives its exit status. What it prints
 * is written to the file `printed` there. */
int client_world_run(struct client_world *world, const char *program, char *const argv[]);

/* The permissions of a file (0600), and how many entries a folder has. */
unsigned client_world_mode(const char *path);
size_t client_world_count(const char *folder);

/* What access.h needs, with that client. */
struct access client_world_access(struct client_world *world, struct http_client *client);

/* Stores a person's login that a token has which is good for that long. */
void client_world_log_in(struct client_world *world, const char *host, const char *token_url,
                         int64_t good_for_ms);

/* An answer for tests/support/stub_server.h. `fields` end with CRLF each, or are empty. */
const char *client_world_answer(struct client_world *world, int status, const char *fields,
                                const char *body);
