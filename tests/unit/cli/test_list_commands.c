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

static void lists_are_printed(void **state)
{
    static const struct {
        const char *line;
        const char *answer;
        const char *request;
        const char *printed;
    } cases[] = {
        {"teams -o tsv", "[\"b\",\"a\"]", "GET /teams ", "name\nb\na\n"},
        {"teams -o json", "[]", "GET /teams ", "[]\n"},
        {"teams", "[\"b\"]", "GET /teams ", "Name\nb\n"},
        {"artifacts t/x -o tsv", "[\"a\"]", "GET /teams/t%2Fx/artifacts ",
         "team\tartifact\nt/x\ta\n"},
        {"image sha256:ab -o json", "[{\"team\":\"t\",\"artifact\":\"a\",\"name\":\"1\"}]",
         "GET /tags/sha256%3Aab ", "[{\"team\":\"t\",\"artifact\":\"a\",\"name\":\"1\"}]\n"},
        {"latest t a", "{\"name\":\"1.0\"}", "GET /teams/t/artifacts/a/tags/latest ", "1.0\n"},
        {"latest t a -o json", "{\"name\":\"1.0\"}", "GET /teams/t/artifacts/a/tags/latest ",
         "[{\"tag\":\"1.0\"}]\n"},
    };
    struct command_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        command_world_reset(world);
        command_world_answer(world, 200, "", cases[i].answer);
        assert_int_equal(command_world_run(world, cases[i].line, NULL), OK);
        assert_string_equal(command_world_results(world), cases[i].printed);
        assert_non_null(strstr(stub_server_request(world->server), cases[i].request));
    }
}

static void a_team_without_artifacts_is_not_found(void **state)
{
    struct command_world *const world = *state;
    struct error err = {0};

    command_world_answer(world, 200, "", "[]");
    assert_int_equal(command_world_run(world, "artifacts t", &err), ERROR_NOT_FOUND);
    assert_non_null(strstr(err.message, "\"t\" has no artifacts"));
    assert_string_equal(command_world_results(world), "");
}

static void what_is_refused_prints_nothing(void **state)
{
    static const char *const lines[] = {"teams", "artifacts t", "image ab", "latest t a"};
    struct command_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct error err = {0};

        command_world_reset(world);
        command_world_answer(world, 403, "", "{\"message\":\"no\"}");
        assert_int_equal(command_world_run(world, lines[i], &err), ERROR_DENIED);
        assert_string_equal(command_world_results(world), "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lists_are_printed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_team_without_artifacts_is_not_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_refused_prints_nothing, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
