#include "cli/docker_setup.h"

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

static const struct login token = {.kind = LOGIN_OAUTH, .secret = STR_LITERAL("sesame")};

static void set_helper(struct client_world *world, mode_t mode)
{
    const char *const path = client_world_path(world, "bin/docker-credential-pierone");

    client_world_write(world, path, "");
    assert_int_equal(chmod(path, mode), 0);
    client_world_set(world, "PATH=/nonexistent::%s/bin");
}

/* How docker gets the token: by the helper, or itself. */
static void docker_is_set_up_as_it_can_be(void **state)
{
    static const struct {
        mode_t mode; /* of the helper; 0: none */
        const char *line;
        bool is_helper;
        bool is_missed;
        bool has_dockercfg;
    } cases[] = {
        {0700, "login", true, false, false},
        {0, "login", false, true, false},
        {0700, "login --no-helper", false, false, false},
        {0, "login --no-helper", false, false, false},
        {0700, "login --dockercfg", true, false, true},
    };
    struct command_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct client_world *const client = world->world;
        const char *config = NULL;

        command_world_reset(world);
        (void)unlink(client->paths.docker_config);
        (void)unlink(client->paths.dockercfg);
        if (cases[i].mode != 0) {
            set_helper(client, cases[i].mode);
        }
        command_world_open(world, cases[i].line);
        assert_int_equal(cli_find_url(&world->cli, NULL), OK);
        assert_int_equal(docker_setup_login(&world->cli, &token, NULL), OK);
        command_world_close(world);
        config = client_world_read(client, client->paths.docker_config);
        assert_non_null(strstr(config, world->host));
        assert_int_equal(strstr(config, "\"pierone\"") != NULL, cases[i].is_helper);
        assert_int_equal(strstr(config, "b2F1dGgyOnNlc2FtZQ==") != NULL, !cases[i].is_helper);
        assert_int_equal(strstr(command_world_chatter(world), "is not in PATH") != NULL,
                         cases[i].is_missed);
        assert_int_equal(client_world_read(client, client->paths.dockercfg) != NULL,
                         cases[i].has_dockercfg);
        assert_null(strstr(command_world_chatter(world), "sesame"));
        assert_non_null(strstr(command_world_chatter(world), client->paths.docker_config));
    }
}

/* Which depends on who runs this. */
static void it_says_whose_docker_finds_the_login(void **state)
{
    struct command_world *const world = *state;

    command_world_open(world, "login");
    assert_int_equal(cli_find_url(&world->cli, NULL), OK);
    assert_int_equal(docker_setup_login(&world->cli, &token, NULL), OK);
    command_world_close(world);
    assert_non_null(strstr(command_world_chatter(world),
                           geteuid() == 0 ? "`sudo docker` finds it" : "where this login is not"));
    assert_int_equal(strstr(command_world_chatter(world), "this login is not") != NULL,
                     geteuid() != 0);
}

static void an_old_file_is_kept_up_to_date(void **state)
{
    struct command_world *const world = *state;
    struct client_world *const client = world->world;

    client_world_write(client, client->paths.dockercfg, "{}");
    set_helper(client, 0700);
    command_world_open(world, "login");
    assert_int_equal(cli_find_url(&world->cli, NULL), OK);
    assert_int_equal(docker_setup_login(&world->cli, &token, NULL), OK);
    assert_non_null(
        strstr(client_world_read(client, client->paths.dockercfg), "b2F1dGgyOnNlc2FtZQ=="));
    assert_int_equal(docker_setup_logout(&world->cli, NULL), OK);
    assert_string_equal(client_world_read(client, client->paths.dockercfg), "{}\n");
}

enum { CHILDREN = 4, HOSTS = 8 };

static void be_child(struct command_world *world, int number)
{
    bool is_ok = true;

    for (int i = 0; i < HOSTS && is_ok; i++) {
        world->cli.url.host =
            arena_format(&world->world->arena, "host-%d.example.org:%d", number, i + 1);
        is_ok = docker_setup_login(&world->cli, &token, NULL) == OK;
    }
    _exit(is_ok ? 0 : 1);
}

/* As a pipeline does it that needs several registries. */
static void logins_at_the_same_time_lose_nothing(void **state)
{
    struct command_world *const world = *state;
    struct client_world *const client = world->world;
    pid_t children[CHILDREN];
    const char *config = NULL;
    int count = 0;

    set_helper(client, 0700);
    command_world_open(world, "login");
    assert_int_equal(cli_find_url(&world->cli, NULL), OK);
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            be_child(world, i);
        }
    }
    for (int i = 0; i < CHILDREN; i++) {
        int status = -1;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    config = client_world_read(client, client->paths.docker_config);
    while ((config = strstr(config, "\"host-")) != NULL) {
        config++;
        count++;
    }
    assert_int_equal(count, CHILDREN * HOSTS);
}

static void a_broken_configuration_is_told(void **state)
{
    struct command_world *const world = *state;
    struct client_world *const client = world->world;
    struct error err = {0};

    client_world_write(client, client->paths.docker_config, "{");
    command_world_open(world, "login");
    assert_int_equal(cli_find_url(&world->cli, NULL), OK);
    assert_int_equal(docker_setup_login(&world->cli, &token, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, client->paths.docker_config));
    assert_null(strstr(err.message, "sesame"));
    assert_int_equal(docker_setup_logout(&world->cli, NULL), ERROR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(docker_is_set_up_as_it_can_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_says_whose_docker_finds_the_login, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_old_file_is_kept_up_to_date, set_up, tear_down),
        cmocka_unit_test_setup_teardown(logins_at_the_same_time_lose_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broken_configuration_is_told, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
