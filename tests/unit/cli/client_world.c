#include "tests/unit/cli/client_world.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/login_store.h"
#include "tests/support/temporary_folder.h"

enum { ARENA_BYTES = 16 * 1024 * 1024, FILE_MAX_BYTES = 8 * 1024 * 1024 };

static void must(bool is_well);
static void make_folders(const char *path);

/* A world that cannot be made is no test's business. */
static void must(bool is_well)
{
    if (!is_well) {
        perror("client_world");
        abort();
    }
}

struct client_world *client_world_new(void)
{
    struct client_world *const world = memory_new(1, sizeof(*world));

    world->folder = temporary_folder_new();
    arena_init(&world->arena, ARENA_BYTES);
    fake_clock_init(&world->clock);
    world->environment.entries = world->variables;
    client_world_set(world, "HOME=%s");
    must(!paths_find(&world->environment, false, &world->arena, &world->paths, NULL));
    return world;
}

void client_world_free(struct client_world *world)
{
    client_world_unset_all(world);
    arena_release(&world->arena);
    temporary_folder_free(world->folder);
    free(world);
}

void client_world_set(struct client_world *world, const char *variable)
{
    const struct str whole = str_from(variable);
    const char *const place = strstr(variable, "%s");
    const size_t before = place ? (size_t)(place - variable) : whole.length;
    struct strbuf text;

    must(world->variable_count < CLIENT_WORLD_VARIABLES);
    strbuf_init(&text, FILE_MAX_BYTES);
    strbuf_append(&text, str_slice(whole, 0, before));
    if (place) {
        strbuf_append_text(&text, world->folder);
        strbuf_append_text(&text, place + 2);
    }
    world->variables[world->variable_count++] = memory_copy_text(text.text);
    strbuf_release(&text);
}

void client_world_unset_all(struct client_world *world)
{
    while (world->variable_count > 0) {
        free(world->variables[--world->variable_count]);
        world->variables[world->variable_count] = NULL;
    }
}

const char *client_world_path(struct client_world *world, const char *name)
{
    return arena_format(&world->arena, "%s/%s", world->folder, name);
}

void client_world_write(struct client_world *world, const char *path, const char *text)
{
    FILE *file = NULL;

    (void)world;
    make_folders(path);
    file = fopen(path, "w");
    must(file && fputs(text, file) >= 0);
    must(fclose(file) == 0);
}

static void make_folders(const char *path)
{
    char *const folder = memory_copy_text(path);

    for (size_t i = 1; folder[i] != '\0'; i++) {
        if (folder[i] == '/') {
            folder[i] = '\0';
            (void)mkdir(folder, 0700);
            folder[i] = '/';
        }
    }
    free(folder);
}

const char *client_world_read(struct client_world *world, const char *path)
{
    FILE *const file = fopen(path, "r");
    struct strbuf text;
    const char *copy = NULL;
    int byte = 0;

    if (!file) {
        return NULL;
    }
    strbuf_init(&text, FILE_MAX_BYTES);
    while ((byte = fgetc(file)) != EOF) {
        strbuf_append_byte(&text, (char)byte);
    }
    (void)fclose(file);
    copy = arena_text(&world->arena, strbuf_str(&text));
    must(copy != NULL);
    strbuf_release(&text);
    return copy;
}

int client_world_run(struct client_world *world, const char *program, char *const argv[])
{
    const char *const printed = client_world_path(world, "printed");
    const pid_t child = fork();
    int status = -1;

    if (child == 0) {
        if (freopen("/dev/null", "r", stdin) && freopen(printed, "w", stdout) &&
            dup2(STDOUT_FILENO, STDERR_FILENO) >= 0) {
            (void)execve(program, argv, world->variables);
        }
        _exit(127);
    }
    must(waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

unsigned client_world_mode(const char *path)
{
    struct stat status;

    must(stat(path, &status) == 0);
    return (unsigned)status.st_mode & 07777;
}

size_t client_world_count(const char *folder)
{
    DIR *const entries = opendir(folder);
    size_t count = 0;

    must(entries != NULL);
    for (const struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    (void)closedir(entries);
    return count;
}

struct access client_world_access(struct client_world *world, struct http_client *client)
{
    return (struct access){
        .environment = &world->environment,
        .paths = &world->paths,
        .client = client,
        .clock = &world->clock.clock,
        .arena = &world->arena,
    };
}

void client_world_log_in(struct client_world *world, const char *host, const char *token_url,
                         int64_t good_for_ms)
{
    const struct access access = client_world_access(world, NULL);
    const struct login login = {
        .kind = LOGIN_OAUTH,
        .user = STR_LITERAL("jane"),
        .secret = STR_LITERAL("first-token"),
        .refresh_token = STR_LITERAL("first-refresh"),
        .token_url = str_from(token_url),
        .client_id = STR_LITERAL("pierone-cli"),
        .expires_ms = clock_wall_ms(&world->clock.clock) + good_for_ms,
    };
    bool was_there = false;

    must(!access_keep(&access, host, &login, &was_there, NULL));
}

const char *client_world_answer(struct client_world *world, int status, const char *fields,
                                const char *body)
{
    return arena_format(&world->arena, "HTTP/1.1 %d Status\r\nContent-Length: %zu\r\n%s\r\n%s",
                        status, strlen(body), fields, body);
}
