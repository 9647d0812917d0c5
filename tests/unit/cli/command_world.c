#include "tests/unit/cli/command_world.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/command.h"

enum { WORDS_MAX = 32, RESULTS = 0, CHATTER = 1 };

static int split(char *line, char *words[WORDS_MAX]);
static void must(bool is_well, const char *what);

struct command_world *command_world_new(void)
{
    struct command_world *const world = memory_new(1, sizeof(*world));

    world->world = client_world_new();
    return world;
}

void command_world_free(struct command_world *world)
{
    command_world_reset(world);
    client_world_free(world->world);
    free(world);
}

void command_world_answer(struct command_world *world, int status, const char *fields,
                          const char *body)
{
    must(world->answer_count < STUB_ANSWERS_MAX, "too many answers");
    world->answers[world->answer_count++] = client_world_answer(world->world, status, fields, body);
}

void command_world_serve(struct command_world *world)
{
    struct arena *const arena = &world->world->arena;

    if (world->answer_count == 0) {
        command_world_answer(world, 404, "", "");
    }
    world->server = stub_server_new(world->answers);
    world->host = arena_text(
        arena, str_from_index(str_from(stub_server_url(world->server)), strlen("http://")));
    client_world_set(world->world,
                     arena_format(arena, "PIERONE_URL=%s", stub_server_url(world->server)));
}

void command_world_reset(struct command_world *world)
{
    command_world_close(world);
    for (size_t i = 0; i < ARRAY_LEN(world->texts); i++) {
        free(world->texts[i]);
        world->texts[i] = NULL;
    }
    if (world->server) {
        stub_server_free(world->server);
        world->server = NULL;
    }
    *world = (struct command_world){.world = world->world};
    client_world_unset_all(world->world);
    client_world_set(world->world, "HOME=%s");
}

void command_world_open(struct command_world *world, const char *line)
{
    struct options options = {0};
    struct cli_start start = {.options = &options, .environment = world->world->variables};
    char *words[WORDS_MAX];
    struct error err = {0};

    command_world_close(world);
    if (!world->server) {
        command_world_serve(world);
    }
    for (size_t i = 0; i < ARRAY_LEN(world->files); i++) {
        free(world->texts[i]);
        world->texts[i] = NULL;
        world->files[i] = open_memstream(&world->texts[i], &world->lengths[i]);
    }
    (void)snprintf(world->line, sizeof(world->line), "pierone %s", line);
    must(!options_parse(split(world->line, words), words, &options, &err), err.message);
    start.results = world->files[RESULTS];
    start.chatter = world->files[CHATTER];
    must(!cli_open(&world->cli, &start, &err), err.message);
    world->is_open = true;
}

static int split(char *line, char *words[WORDS_MAX])
{
    bool is_within = false;
    int count = 0;

    for (char *next = line; *next != '\0'; next++) {
        const bool is_space = *next == ' ';

        if (!is_space && !is_within && count < WORDS_MAX) {
            words[count++] = next;
        }
        *next = is_space ? '\0' : *next;
        is_within = !is_space;
    }
    return count;
}

static void must(bool is_well, const char *what)
{
    if (!is_well) {
        (void)fprintf(stderr, "command_world: %s\n", what);
        abort();
    }
}

enum error_code command_world_run(struct command_world *world, const char *line, struct error *err)
{
    enum error_code code = OK;

    command_world_open(world, line);
    code = world->cli.options.command->run(&world->cli, err);
    command_world_close(world);
    return code;
}

void command_world_close(struct command_world *world)
{
    if (!world->is_open) {
        return;
    }
    world->is_open = false;
    cli_release(&world->cli);
    for (size_t i = 0; i < ARRAY_LEN(world->files); i++) {
        (void)fclose(world->files[i]);
    }
}

const char *command_world_results(struct command_world *world)
{
    return world->texts[RESULTS];
}

const char *command_world_chatter(struct command_world *world)
{
    return world->texts[CHATTER];
}
