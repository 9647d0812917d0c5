#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/cli/client_world.h"

static int set_up(void **state)
{
    *state = client_world_new();
    return 0;
}

static int tear_down(void **state)
{
    client_world_free(*state);
    return 0;
}

static void the_program_speaks_the_protocol(void **state)
{
    struct client_world *const world = *state;
    const char *const printed = client_world_path(world, "printed");
    char program[] = "docker-credential-pierone";
    char list[] = "list";
    char get[] = "get";
    char version[] = "version";

    assert_int_equal(client_world_run(world, PROGRAM, (char *const[]){program, list, NULL}), 0);
    assert_string_equal(client_world_read(world, printed), "{}\n");
    assert_int_equal(client_world_run(world, PROGRAM, (char *const[]){program, get, NULL}), 1);
    assert_string_equal(client_world_read(world, printed), "no credentials server URL\n");
    assert_int_equal(client_world_run(world, PROGRAM, (char *const[]){program, version, NULL}), 0);
    assert_true(
        str_starts_with(str_from(client_world_read(world, printed)), "docker-credential-pierone "));
    assert_int_equal(client_world_run(world, PROGRAM, (char *const[]){program, NULL}), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_program_speaks_the_protocol, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
