#include "cli/paths.h"

#include <pwd.h>
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

static const struct {
    bool is_macos;
    const char *variables[2];
    const char *config;
    const char *other_config;
    const char *logins;
    const char *docker_config;
} cases[] = {
    {false,
     {NULL},
     "/home/j/.config/pierone.yaml",
     "/home/j/.config/pierone/pierone.yaml",
     "/home/j/.config/pierone/logins.json",
     "/home/j/.docker/config.json"},
    {false,
     {"XDG_CONFIG_HOME=/x", "DOCKER_CONFIG=/d"},
     "/x/pierone.yaml",
     "/x/pierone/pierone.yaml",
     "/x/pierone/logins.json",
     "/d/config.json"},
    {false,
     {"XDG_CONFIG_HOME=relative"},
     "/home/j/.config/pierone.yaml",
     "/home/j/.config/pierone/pierone.yaml",
     "/home/j/.config/pierone/logins.json",
     "/home/j/.docker/config.json"},
    {true,
     {NULL},
     "/home/j/Library/Application Support/pierone/pierone.yaml",
     "/home/j/Library/Application Support/pierone/pierone/pierone.yaml",
     "/home/j/Library/Application Support/pierone/logins.json",
     "/home/j/.docker/config.json"},
    {true,
     {"XDG_CONFIG_HOME=relative"},
     "/home/j/Library/Application Support/pierone/pierone.yaml",
     "/home/j/Library/Application Support/pierone/pierone/pierone.yaml",
     "/home/j/Library/Application Support/pierone/logins.json",
     "/home/j/.docker/config.json"},
    {true,
     {"XDG_CONFIG_HOME=/x"},
     "/x/pierone.yaml",
     "/x/pierone/pierone.yaml",
     "/x/pierone/logins.json",
     "/home/j/.docker/config.json"},
};

static void files_are_where_the_system_keeps_such(void **state)
{
    struct client_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct paths paths = {0};

        client_world_unset_all(world);
        client_world_set(world, "HOME=/home/j");
        for (size_t j = 0; j < ARRAY_LEN(cases[i].variables) && cases[i].variables[j]; j++) {
            client_world_set(world, cases[i].variables[j]);
        }
        assert_int_equal(
            paths_find(&world->environment, cases[i].is_macos, &world->arena, &paths, NULL), OK);
        assert_string_equal(paths.config, cases[i].config);
        assert_string_equal(paths.other_config, cases[i].other_config);
        assert_string_equal(paths.logins, cases[i].logins);
        assert_string_equal(paths.docker_config, cases[i].docker_config);
        assert_string_equal(paths.dockercfg, "/home/j/.dockercfg");
    }
}

static void without_a_home_the_users_own_is_taken(void **state)
{
    struct client_world *const world = *state;
    const struct passwd *const user = getpwuid(getuid());
    struct paths paths = {0};
    struct error err = {0};
    enum error_code code = OK;

    client_world_unset_all(world);
    code = paths_find(&world->environment, false, &world->arena, &paths, &err);
    if (user && user->pw_dir[0] == '/') {
        assert_int_equal(code, OK);
        assert_true(str_starts_with(str_from(paths.dockercfg), user->pw_dir));
    } else {
        assert_int_equal(code, ERROR_INVALID);
        assert_non_null(strstr(err.message, "HOME"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_are_where_the_system_keeps_such, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_home_the_users_own_is_taken, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
