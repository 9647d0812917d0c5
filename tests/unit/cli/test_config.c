#include "cli/config.h"

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

static void variables_are_found_by_their_whole_name(void **state)
{
    static const struct {
        const char *name;
        const char *value;
    } cases[] = {
        {"A", "1"}, {"AB", "2=3"}, {"EMPTY", NULL}, {"B", NULL}, {"", NULL}, {"A=1", NULL},
    };
    struct client_world *const world = *state;

    client_world_set(world, "AB=2=3");
    client_world_set(world, "A=1");
    client_world_set(world, "A=second");
    client_world_set(world, "EMPTY=");
    client_world_set(world, "ODD");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *const found = environment_get(&world->environment, cases[i].name);

        assert_int_equal(found == NULL, cases[i].value == NULL);
        if (found) {
            assert_string_equal(found, cases[i].value);
        }
    }
    assert_null(environment_get(&world->environment, "ODD"));
}

static void there_may_be_none(void **state)
{
    static const struct environment none = {NULL};
    struct client_world *const world = *state;

    assert_null(environment_get(&none, "HOME"));
    client_world_unset_all(world);
    assert_null(environment_get(&world->environment, "HOME"));
}

static const struct {
    bool is_macos;
    const char *variables[2];
    const char *config;
    const char *other_config;
    const char *logins;
    const char *docker_config;
} places[] = {
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

    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct paths paths = {0};

        client_world_unset_all(world);
        client_world_set(world, "HOME=/home/j");
        for (size_t j = 0; j < ARRAY_LEN(places[i].variables) && places[i].variables[j]; j++) {
            client_world_set(world, places[i].variables[j]);
        }
        assert_int_equal(
            paths_find(&world->environment, places[i].is_macos, &world->arena, &paths, NULL), OK);
        assert_string_equal(paths.config, places[i].config);
        assert_string_equal(paths.other_config, places[i].other_config);
        assert_string_equal(paths.logins, places[i].logins);
        assert_string_equal(paths.docker_config, places[i].docker_config);
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

static void addresses_are_read(void **state)
{
    static const struct {
        const char *text;
        const char *url;
        const char *host;
    } cases[] = {
        {"pierone.example.org", "https://pierone.example.org", "pierone.example.org"},
        {"localhost:5000", "https://localhost:5000", "localhost:5000"},
        {"https://pierone.example.org", "https://pierone.example.org", "pierone.example.org"},
        {"http://localhost:5000", "http://localhost:5000", "localhost:5000"},
        {"https://pierone.example.org/", "https://pierone.example.org", "pierone.example.org"},
        {"https://a.b/v1/?x", "https://a.b", "a.b"},
        {"a.b/team/artifact", "https://a.b", "a.b"},
        {"PierOne.Example.ORG", "https://pierone.example.org", "pierone.example.org"},
        {" a.b\t", "https://a.b", "a.b"},
        {" http://a.b", "http://a.b", "a.b"},
        {"HTTP://a.b", "http://a.b", "a.b"},
        {"Https://A.b:5000/", "https://a.b:5000", "a.b:5000"},
        {"127.0.0.1:80", "https://127.0.0.1:80", "127.0.0.1:80"},
        {"[::1]:5000", "https://[::1]:5000", "[::1]:5000"},
        {"a_b-c", "https://a_b-c", "a_b-c"},
    };
    struct client_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct registry_url url = {0};

        assert_int_equal(registry_url_parse(str_from(cases[i].text), &world->arena, &url, NULL),
                         OK);
        assert_string_equal(url.url, cases[i].url);
        assert_string_equal(url.host, cases[i].host);
    }
}

static void a_path_is_told(void **state)
{
    static const char *const with[] = {"https://a.b/v1/?x", "a.b/team/artifact", "http://a.b//"};
    static const char *const without[] = {"https://a.b", "a.b", "a.b:5000/", "http://a.b/ "};
    struct client_world *const world = *state;
    struct registry_url url;

    for (size_t i = 0; i < ARRAY_LEN(with); i++) {
        assert_int_equal(registry_url_parse(str_from(with[i]), &world->arena, &url, NULL), OK);
        assert_true(url.has_path);
    }
    for (size_t i = 0; i < ARRAY_LEN(without); i++) {
        assert_int_equal(registry_url_parse(str_from(without[i]), &world->arena, &url, NULL), OK);
        assert_false(url.has_path);
    }
}

static void other_texts_are_refused(void **state)
{
    static const char *const refused[] = {
        "",
        " ",
        "/",
        "https://",
        "http:///path",
        ":5000",
        "a b",
        "a:",
        "ftp://a.b",
        "http:",
        "https://http://a.b",
        "a@b",
        "https://u:p@host",
        "a\nb",
        "a%62",
        "a\xc3\xa9",
        "a?b",
        "a#b",
        "a\\b",
        "\"a\"",
    };
    struct client_world *const world = *state;
    struct registry_url url = {.url = "untouched"};

    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct error err = {0};

        assert_int_equal(registry_url_parse(str_from(refused[i]), &world->arena, &url, &err),
                         ERROR_INVALID);
        assert_non_null(strstr(err.message, "pierone.example.org"));
        assert_string_equal(url.url, "untouched");
    }
}

static void bytes_that_are_not_text_are_refused(void **state)
{
    static const struct str text = STR_LITERAL("a\0b");
    struct client_world *const world = *state;
    struct registry_url url;

    assert_int_equal(registry_url_parse(text, &world->arena, &url, NULL), ERROR_INVALID);
}

static void a_host_has_a_longest_length(void **state)
{
    struct client_world *const world = *state;
    struct registry_url url;
    char text[REGISTRY_URL_MAX_BYTES + 1];

    memset(text, 'a', sizeof(text));
    assert_int_equal(
        registry_url_parse((struct str){text, sizeof(text) - 1}, &world->arena, &url, NULL), OK);
    assert_int_equal(
        registry_url_parse((struct str){text, sizeof(text)}, &world->arena, &url, NULL),
        ERROR_INVALID);
}

static void the_address_is_found(void **state)
{
    static const struct {
        const char *text;
        const char *url; /* NULL: none */
    } cases[] = {
        {"", NULL},
        {"\n# nothing\n", NULL},
        {"url: https://a.b\n", "https://a.b"},
        {"url: \"a.b\"", "a.b"},
        {"\xef\xbb\xbfurl: a.b\r\n", "a.b"}, /* as some editors write it */
        {"other: 1\nurl: a.b\nmore: [x, {y: z}]\n", "a.b"},
        {"{\"url\": \"a.b\"}", "a.b"},
        {"url:\n", NULL},
        {"url: [a]\n", NULL},
        {"urls: a.b\n", NULL},
        {"- url\n- a.b\n", NULL},
        {"text\n", NULL},
        {"nested:\n  url: a.b\n", NULL},
    };
    struct client_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *url = "untouched";

        client_world_write(world, world->paths.config, cases[i].text);
        assert_int_equal(config_file_read(&world->paths, &world->arena, &url, NULL), OK);
        assert_int_equal(url == NULL, cases[i].url == NULL);
        if (url) {
            assert_string_equal(url, cases[i].url);
        }
    }
}

static void the_other_place_counts_if_the_first_has_no_file(void **state)
{
    struct client_world *const world = *state;
    const char *url = NULL;

    assert_int_equal(config_file_read(&world->paths, &world->arena, &url, NULL), OK);
    assert_null(url);
    client_world_write(world, world->paths.other_config, "url: other\n");
    assert_int_equal(config_file_read(&world->paths, &world->arena, &url, NULL), OK);
    assert_string_equal(url, "other");
    client_world_write(world, world->paths.config, "url: first\n");
    assert_int_equal(config_file_read(&world->paths, &world->arena, &url, NULL), OK);
    assert_string_equal(url, "first");
}

static void what_is_no_yaml_is_refused(void **state)
{
    static const char *const broken[] = {"url: [", "\turl: x", "a: b: c", "url: \"x", "\x01"};
    struct client_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        struct error err = {0};
        const char *url = NULL;

        client_world_write(world, world->paths.config, broken[i]);
        assert_int_equal(config_file_read(&world->paths, &world->arena, &url, &err), ERROR_INVALID);
        assert_non_null(strstr(err.message, world->paths.config));
        assert_null(url);
    }
}

static void what_cannot_be_read_is_refused(void **state)
{
    struct client_world *const world = *state;
    struct error err = {0};
    const char *url = NULL;

    assert_int_equal(mkdir(client_world_path(world, ".config"), 0700), 0);
    assert_int_equal(mkdir(world->paths.config, 0700), 0);
    assert_int_equal(config_file_read(&world->paths, &world->arena, &url, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, world->paths.config));
    assert_int_equal(config_file_add_url(&world->paths, "https://a.b", &err), ERROR_INVALID);
}

static void an_address_is_added_to_what_is_there(void **state)
{
    static const struct {
        const char *before; /* NULL: no file */
        const char *after;
    } cases[] = {
        {NULL, "url: https://a.b\n"},
        {"", "url: https://a.b\n"},
        {"# mine\nother: 1\n", "# mine\nother: 1\nurl: https://a.b\n"},
        {"other: 1", "other: 1\nurl: https://a.b\n"},
    };
    struct client_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *url = NULL;

        (void)unlink(world->paths.config);
        if (cases[i].before) {
            client_world_write(world, world->paths.config, cases[i].before);
        }
        assert_int_equal(config_file_add_url(&world->paths, "https://a.b", NULL), OK);
        assert_string_equal(client_world_read(world, world->paths.config), cases[i].after);
        assert_int_equal(config_file_read(&world->paths, &world->arena, &url, NULL), OK);
        assert_string_equal(url, "https://a.b");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(variables_are_found_by_their_whole_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(there_may_be_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_are_where_the_system_keeps_such, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_home_the_users_own_is_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(addresses_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_path_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_texts_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_that_are_not_text_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_host_has_a_longest_length, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_address_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_other_place_counts_if_the_first_has_no_file, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_yaml_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_address_is_added_to_what_is_there, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
