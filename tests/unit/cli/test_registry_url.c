#include "cli/registry_url.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(addresses_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_path_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_texts_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_that_are_not_text_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_host_has_a_longest_length, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
