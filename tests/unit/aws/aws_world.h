#pragma once

#include <stddef.h>

#include "aws/source.h"
#include "tests/support/fake_clock.h"

/* Where credentials are looked for in tests: an environment that is all made up. */
enum { AWS_WORLD_VARIABLES = 16 };

struct aws_world {
    struct aws_credentials_config config;
    struct fake_clock clock;
    struct {
        const char *name;
        const char *value;
    } variables[AWS_WORLD_VARIABLES];
    size_t variable_count;
    struct error err;
    struct aws_found found;
};

/* The region is eu-central-1, and no variable is set. */
void aws_world_init(struct aws_world *world);
void aws_world_release(struct aws_world *world);

/* Both are borrowed; NULL unsets it. */
void aws_world_set(struct aws_world *world, const char *name, const char *value);

/* Asks a source, which must give the keys `AKID`, `hidden` and `token`, and no others. */
void aws_world_expect(struct aws_world *world, aws_source *source, const char *place);

/* Asks a source, which must fail with that in its message, and not with a secret. */
void aws_world_expect_failure(struct aws_world *world, aws_source *source, enum error_code code,
                              const char *message);

/* Writes a file into a folder; free the path. */
char *aws_world_file(const char *folder, const char *name, const char *text);
