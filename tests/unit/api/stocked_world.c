#include "stocked_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define TRUSTED                                                                                    \
    "Authorization: Bearer service:robot:application.write_all+application.write_all_trusted\r\n"
#define SOURCE "X-SCM-Source: %7B%22url%22%3A%22git%3Ax%22%2C%22revision%22%3A%22abc%22%7D\r\n"

int stocked_world_set_up(void **state)
{
    struct guarded_world *world = NULL;

    (void)guarded_world_set_up(state);
    world = *state;
    assert_int_equal(stocked_world_push(world, "all/app/manifests/1.0", TRUSTED SOURCE)->status,
                     201);
    assert_int_equal(stocked_world_push(world, "all/app/manifests/2.0", TRUSTED)->status, 201);
    assert_int_equal(stocked_world_push(world, "all/deep/er/manifests/1", TRUSTED)->status, 201);
    return 0;
}

struct reply *stocked_world_push(struct guarded_world *world, const char *path, const char *fields)
{
    char manifest[TEST_MANIFEST_BYTES];
    char all_fields[1024];
    char line[STOCKED_PATH_BYTES];
    const struct api_config open = {0};
    const struct api_config guarded = {
        .authenticator = world->authenticator,
        .teams = world->directory,
        .token_keys = world->keys,
    };

    api_world_serve(&world->world, &open); /* its blobs may be anybody's */
    api_world_make_image(&world->world, "stocked", manifest);
    api_world_serve(&world->world, &guarded);
    (void)snprintf(line, sizeof(line), "PUT /v2/%s", path);
    (void)snprintf(all_fields, sizeof(all_fields), "Content-Type: %s\r\n%s", TEST_IMAGE_TYPE,
                   fields);
    api_world_ask(
        &world->world,
        &(struct question){.line = line, .fields = all_fields, .body = str_from(manifest)},
        &world->reply);
    fake_clock_advance(&world->world.clock, 1000);
    return &world->reply;
}
