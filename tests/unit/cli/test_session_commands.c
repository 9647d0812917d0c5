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

static void a_service_user_logs_in(void **state)
{
    struct command_world *const world = *state;
    struct client_world *const client = world->world;
    const char *logins = NULL;

    client_world_set(client, "OAUTH2_ACCESS_TOKENS=pierone=sesame");
    command_world_answer(world, 200, "", "{\"methods\":[\"oauth2\"]}");
    command_world_answer(world, 200, "", "{\"name\":\"robot\",\"kind\":\"service\"}");
    assert_int_equal(command_world_run(world, "login --no-helper", NULL), OK);
    assert_non_null(strstr(stub_server_request(world->server), "GET /whoami "));
    assert_non_null(strstr(stub_server_request(world->server), "Bearer sesame\r\n"));
    assert_non_null(strstr(command_world_chatter(world), " as robot.\n"));
    assert_string_equal(command_world_results(world), "");
    logins = client_world_read(client, client->paths.logins);
    assert_non_null(strstr(logins, "\"kind\": \"service\""));
    assert_non_null(strstr(logins, "\"user\": \"robot\""));
    assert_int_equal(client_world_mode(client->paths.logins), 0600);
    assert_non_null(strstr(client_world_read(client, client->paths.docker_config), world->host));
}

static void an_open_registry_needs_no_login(void **state)
{
    struct command_world *const world = *state;

    command_world_answer(world, 200, "", "{\"methods\":[]}");
    assert_int_equal(command_world_run(world, "login", NULL), OK);
    assert_non_null(strstr(command_world_chatter(world), "is open"));
    assert_int_equal(client_world_count(world->world->folder), 0);
}

static void what_fails_keeps_nothing(void **state)
{
    static const struct {
        const char *line;
        const char *variable; /* NULL: none */
        int statuses[2];
        const char *bodies[2];
        enum error_code code;
        const char *told;
    } cases[] = {
        {"login", NULL, {404, 404}, {"", ""}, ERROR_INVALID, "is not a Pier One registry"},
        {"login",
         NULL,
         {200, 200},
         {"{\"methods\":[\"oauth2\"]}", ""},
         ERROR_INVALID,
         "login.issuer"},
        {"login",
         "OAUTH2_ACCESS_TOKENS=pierone=sesame",
         {200, 401},
         {"{\"methods\":[\"oauth2\"]}", ""},
         ERROR_UNAUTHENTICATED,
         "does not accept the token"},
        {"login",
         "OAUTH2_ACCESS_TOKENS=pierone=sesame",
         {200, 500},
         {"{\"methods\":[\"oauth2\"]}", ""},
         ERROR_UNAVAILABLE,
         "status 500"},
        {"login --device",
         "OAUTH2_ACCESS_TOKENS=pierone=sesame",
         {200, 200},
         {"{\"methods\":[\"oauth2\"]}", ""},
         ERROR_INVALID,
         "login.issuer"},
        {"login",
         NULL,
         {200, 200},
         {"{\"methods\":[\"password\"]}", ""},
         ERROR_INVALID,
         "--username"},
    };
    struct command_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = {0};

        command_world_reset(world);
        for (size_t j = 0; j < 2; j++) {
            command_world_answer(world, cases[i].statuses[j], "", cases[i].bodies[j]);
        }
        if (cases[i].variable) {
            client_world_set(world->world, cases[i].variable);
        }
        assert_int_equal(command_world_run(world, cases[i].line, &err), cases[i].code);
        assert_non_null(strstr(err.message, cases[i].told));
        assert_null(strstr(err.message, "sesame"));
        assert_int_equal(client_world_count(world->world->folder), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_sees_as_whom_one_is_logged_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_nobody_is_told_to_log_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(logging_out_forgets_everywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(logging_out_makes_no_files_of_docker, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_service_user_logs_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_open_registry_needs_no_login, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_fails_keeps_nothing, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
