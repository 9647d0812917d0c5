#include "cli/config_file.h"

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
        cmocka_unit_test_setup_teardown(the_address_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_other_place_counts_if_the_first_has_no_file, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_yaml_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_address_is_added_to_what_is_there, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
