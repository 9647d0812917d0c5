#include "cli/paths.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_BYTES = 64 * 1024 };

static void files_are_where_the_system_keeps_them(void **state)
{
    static const struct {
        const char *variables[4];
        bool is_macos;
        const char *config;
        const char *other_config;
        const char *logins;
        const char *docker_config;
    } rows[] = {
        {{"HOME=/h"},
         false,
         "/h/.config/pierone.yaml",
         "/h/.config/pierone/pierone.yaml",
         "/h/.config/pierone/logins.json",
         "/h/.docker/config.json"},
        {{"HOME=/h", "XDG_CONFIG_HOME=/x", "DOCKER_CONFIG=/d"},
         false,
         "/x/pierone.yaml",
         "/x/pierone/pierone.yaml",
         "/x/pierone/logins.json",
         "/d/config.json"},
        {{"HOME=/h", "XDG_CONFIG_HOME=relative"},
         false,
         "/h/.config/pierone.yaml",
         "/h/.config/pierone/pierone.yaml",
         "/h/.config/pierone/logins.json",
         "/h/.docker/config.json"},
        {{"HOME=/Users/j"},
         true,
         "/Users/j/Library/Application Support/pierone/pierone.yaml",
         "/Users/j/Library/Application Support/pierone/pierone/pierone.yaml",
         "/Users/j/Library/Application Support/pierone/logins.json",
         "/Users/j/.docker/config.json"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char texts[4][64] = {{0}};
        char *entries[5] = {NULL};
        const struct environment environment = {entries};
        struct paths paths = {0};
        struct arena arena;

        for (size_t j = 0; j < 4 && rows[i].variables[j]; j++) {
            (void)snprintf(texts[j], sizeof(texts[j]), "%s", rows[i].variables[j]);
            entries[j] = texts[j];
        }
        arena_init(&arena, ARENA_BYTES);
        assert_int_equal(paths_find(&environment, rows[i].is_macos, &arena, &paths, NULL), OK);
        assert_string_equal(paths.config, rows[i].config);
        assert_string_equal(paths.other_config, rows[i].other_config);
        assert_string_equal(paths.logins, rows[i].logins);
        assert_string_equal(paths.docker_config, rows[i].docker_config);
        assert_non_null(strstr(paths.dockercfg, "/.dockercfg"));
        arena_release(&arena);
    }
}

/* The user's own, from the system's list. */
static void there_is_a_home_without_the_variable(void **state)
{
    char *const entries[] = {NULL};
    const struct environment environment = {entries};
    struct paths paths = {0};
    struct arena arena;

    (void)state;
    arena_init(&arena, ARENA_BYTES);
    assert_int_equal(paths_find(&environment, false, &arena, &paths, NULL), OK);
    assert_int_equal(paths.config[0], '/');
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest paths[] = {
        cmocka_unit_test(files_are_where_the_system_keeps_them),
        cmocka_unit_test(there_is_a_home_without_the_variable),
    };

    return cmocka_run_group_tests(paths, NULL, NULL);
}
