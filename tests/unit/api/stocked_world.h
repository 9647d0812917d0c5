#pragma once

#include "guarded_world.h"

/*
 * A guarded world with images of the team `all`: app:1.0, pushed by somebody trusted, who said what
 * it was built from; then app:2.0 and deep/er:1, of which nobody does. All one second apart.
 */
#define WHO "Bearer employee:jdoe"

/* For cmocka; torn down by guarded_world_tear_down. */
int stocked_world_set_up(void **state);

/* Pushes the manifest of an image that is there to a path, `all/app/manifests/1.0`, with fields. */
struct reply *stocked_world_push(struct guarded_world *world, const char *path, const char *fields);

enum { STOCKED_PATH_BYTES = 256 };
