#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/cli/command_world.h"

static int set_up(void **state)
{
    *state = command_world_new();
    return 0;
}

static int tear_down(void **state)
{
    command_world_free(*state);
    return 0;
}

static void log_in(struct command_world *world)
{
    static const struct login joe = {.kind = LOGIN_PASSWORD,
                                     .user = STR_LITERAL("joe"),
                                     .secret = STR_LITERAL("sesame"),
                                     .expires_ms = 1431013791230};
    const struct access access = client_world_access(world->world, NULL);
    bool was_there = false;

    command_world_serve(world);
    assert_int_equal(access_keep(&access, world->host, &joe, &was_there, NULL), OK);
}

static void one_sees_as_whom_one_is_logged_in(void **state)
{
    struct command_world *const world = *state;
    char expected[200];

    command_world_answer(world, 200, "", "{\"name\":\"joe\",\"kind\":\"person\"}");
    log_in(world);
    assert_int_equal(command_world_run(world, "whoami -o tsv", NULL), OK);
    (void)snprintf(expected, sizeof(expected),
                   "registry\tname\tkind\texpires_time\n%s\tjoe\tperson\t1431013791\n",
                   world->host);
    assert_string_equal(command_world_results(world), expected);
}

static void who_is_nobody_is_told_to_log_in(void **state)
{
    struct command_world *const world = *state;
    struct error err = {0};

    command_world_answer(world, 401, "", "");
    assert_int_equal(command_world_run(world, "whoami", &err), ERROR_UNAUTHENTICATED);
    assert_non_null(strstr(err.message, "run `pierone login"));
    assert_string_equal(command_world_results(world), "");
}

static void logging_out_forgets_everywhere(void **state)
{
    struct command_world *const world = *state;
    struct client_world *const client = world->world;

    log_in(world);
    client_world_write(client, client->paths.docker_config,
                       arena_format(&client->arena,
                                    "{\"auths\":{\"%s\":{\"auth\":\"x\"}},"
                                    "\"credHelpers\":{\"%s\":\"pierone\",\"o\":\"p\"}}",
                                    world->host, world->host));
    client_world_write(client, client->paths.dockercfg,
                       arena_format(&client->arena, "{\"%s\":{\"auth\":\"x\"}}", world->host));
    assert_int_equal(command_world_run(world, "logout", NULL), OK);
    assert_non_null(strstr(command_world_chatter(world), "Logged out at "));
    assert_string_equal(command_world_results(world), "");
    assert_null(strstr(client_world_read(client, client->paths.logins), world->host));
    assert_null(strstr(client_world_read(client, client->paths.docker_config), world->host));
    assert_null(strstr(client_world_read(client, client->paths.dockercfg), world->host));
    assert_non_null(strstr(client_world_read(client, client->paths.docker_config), "\"o\""));
    assert_int_equal(command_world_run(world, "logout", NULL), OK);
    assert_non_null(strstr(command_world_chatter(world), "There was no login at "));
    assert_int_equal(stub_server_count(world->server), 0);
}

static void logging_out_makes_no_files_of_docker(void **state)
{
    struct command_world *const world = *state;

    assert_int_equal(command_world_run(world, "logout", NULL), OK);
    assert_null(client_world_read(world->world, world->world->paths.docker_config));
    assert_null(client_world_read(world->world, world->world->paths.dockercfg));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_sees_as_whom_one_is_logged_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_nobody_is_told_to_log_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(logging_out_forgets_everywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(logging_out_makes_no_files_of_docker, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
