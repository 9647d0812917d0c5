#include "cli/cli.h"

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

static void the_address_is_the_options_the_variables_or_the_files(void **state)
{
    static const struct {
        const char *line;
        const char *variable; /* NULL: none */
        const char *file;     /* NULL: none */
        const char *url;      /* NULL: ERROR_INVALID */
    } cases[] = {
        {"teams --url a", "PIERONE_URL=b", "url: c", "https://a"},
        {"teams", "PIERONE_URL=b", "url: c", "https://b"},
        {"teams", "PIERONE_URL=", "url: http://c", "http://c"},
        {"teams", NULL, "url: c", "https://c"},
        {"teams", NULL, "other: c", NULL},
        {"teams", NULL, "url: [", NULL},
        {"teams", NULL, NULL, NULL},
        {"teams --url a@b", NULL, NULL, NULL},
        {"teams --url https://a/", NULL, NULL, "https://a"},
        {"teams --url https://a/prefix", NULL, NULL, NULL},
        {"teams", "PIERONE_URL=a/v2/", "url: c", NULL},
    };
    struct command_world *const world = *state;
    struct client_world *const client = world->world;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = {0};

        command_world_reset(world);
        command_world_serve(world); /* so that it is not set on opening */
        client_world_unset_all(client);
        client_world_set(client, "HOME=%s");
        (void)unlink(client->paths.config);
        if (cases[i].variable) {
            client_world_set(client, cases[i].variable);
        }
        if (cases[i].file) {
            client_world_write(client, client->paths.config, cases[i].file);
        }
        command_world_open(world, cases[i].line);
        assert_int_equal(cli_find_url(&world->cli, &err), cases[i].url ? OK : ERROR_INVALID);
        if (cases[i].url) {
            assert_string_equal(world->cli.url.url, cases[i].url);
            assert_int_equal(cli_find_url(&world->cli, NULL), OK);
        } else {
            assert_true(err.message[0] != '\0');
        }
    }
}

static void the_only_login_says_which_registry(void **state)
{
    static const struct {
        const char *logins;
        const char *file;
        const char *url; /* NULL: ERROR_INVALID */
    } cases[] = {
        {"{\"a:5000\":{\"kind\":\"password\",\"url\":\"http://a:5000\"}}", NULL, "http://a:5000"},
        {"{\"a\":{\"kind\":\"password\"}}", NULL, "https://a"},
        {"{\"a\":{\"kind\":\"password\"}}", "url: c", "https://c"},
        {"{\"a\":{\"kind\":\"password\"},\"b\":{\"kind\":\"oauth2\"}}", NULL, NULL},
        {"{}", NULL, NULL},
    };
    struct command_world *const world = *state;
    struct client_world *const client = world->world;

    command_world_serve(world);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        client_world_unset_all(client);
        client_world_set(client, "HOME=%s");
        client_world_write(client, client->paths.logins,
                           arena_format(&client->arena, "{\"logins\":%s}", cases[i].logins));
        (void)unlink(client->paths.config);
        if (cases[i].file) {
            client_world_write(client, client->paths.config, cases[i].file);
        }
        command_world_open(world, "teams");
        assert_int_equal(cli_find_url(&world->cli, NULL), cases[i].url ? OK : ERROR_INVALID);
        assert_true(!cases[i].url || strcmp(world->cli.url.url, cases[i].url) == 0);
    }
}

static void without_an_address_it_says_how_to_set_one(void **state)
{
    struct command_world *const world = *state;
    struct error err = {0};

    command_world_serve(world);
    client_world_unset_all(world->world);
    client_world_set(world->world, "HOME=%s");
    command_world_open(world, "teams");
    assert_false(world->cli.can_ask);
    assert_int_equal(cli_find_url(&world->cli, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "PIERONE_URL"));
    assert_non_null(strstr(err.message, world->world->paths.config));
}

static void the_login_is_looked_for_once(void **state)
{
    struct command_world *const world = *state;
    struct client_world *const client = world->world;

    client_world_set(client, "OAUTH2_ACCESS_TOKENS=pierone=sesame");
    command_world_open(world, "teams");
    assert_int_equal(cli_find_login(&world->cli, NULL), OK);
    assert_true(str_is(world->cli.login.secret, "sesame"));
    client_world_write(client, client->paths.logins, "{");
    assert_int_equal(cli_find_login(&world->cli, NULL), OK);
}

static void a_file_is_no_terminal(void **state)
{
    struct command_world *const world = *state;

    client_world_set(world->world, "TERM=xterm");
    command_world_open(world, "teams");
    assert_false(world->cli.output.has_colour);
    assert_false(world->cli.can_ask);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_address_is_the_options_the_variables_or_the_files,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_only_login_says_which_registry, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_an_address_it_says_how_to_set_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_login_is_looked_for_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_is_no_terminal, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
