#include "tests/unit/aws/aws_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"

static const char *variable(const void *context, const char *name)
{
    const struct aws_world *world = context;

    for (size_t i = 0; i < world->variable_count; i++) {
        if (strcmp(world->variables[i].name, name) == 0) {
            return world->variables[i].value;
        }
    }
    return NULL;
}

void aws_world_init(struct aws_world *world)
{
    const struct http_client_config config = {
        .user_agent = "test", .timeout_ms = 5000, .answer_max_bytes = 64 * 1024};
    struct http_client *client = NULL;

    *world = (struct aws_world){0};
    assert_int_equal(http_client_new(&config, &client, NULL), OK);
    fake_clock_init(&world->clock);
    world->config = (struct aws_credentials_config){
        .variable = variable,
        .context = world,
        .region = "eu-central-1",
        .client = client,
        .clock = &world->clock.clock,
    };
}

void aws_world_release(struct aws_world *world)
{
    aws_key_copy_release(&world->found.copy);
    http_client_free(world->config.client);
}

void aws_world_set(struct aws_world *world, const char *name, const char *value)
{
    size_t i = 0;

    while (i < world->variable_count && strcmp(world->variables[i].name, name) != 0) {
        i++;
    }
    assert_true(i < AWS_WORLD_VARIABLES);
    world->variables[i].name = name;
    world->variables[i].value = value;
    world->variable_count += i == world->variable_count ? 1 : 0;
}

void aws_world_expect(struct aws_world *world, aws_source *source, const char *place)
{
    aws_key_copy_release(&world->found.copy);
    world->err = (struct error){0};
    if (source(&world->config, &world->found, &world->err)) {
        fail_msg("%s", world->err.message);
    }
    assert_string_equal(world->found.copy.keys.access_key_id, "AKID");
    assert_string_equal(world->found.copy.keys.secret_access_key, "hidden");
    assert_string_equal(world->found.copy.keys.session_token, "token");
    assert_string_equal(world->found.origin, place);
}

void aws_world_expect_failure(struct aws_world *world, aws_source *source, enum error_code code,
                              const char *message)
{
    aws_key_copy_release(&world->found.copy);
    world->err = (struct error){0};
    assert_int_equal(source(&world->config, &world->found, &world->err), code);
    if (!strstr(world->err.message, message)) {
        fail_msg("'%s' is not in: %s", message, world->err.message);
    }
    assert_null(strstr(world->err.message, "hidden"));
    assert_null(world->found.copy.memory);
}

char *aws_world_file(const char *folder, const char *name, const char *text)
{
    char path[AWS_PATH_MAX_BYTES];
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return memory_copy_text(path);
}
