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

#include "cli/command.h"
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

static void statistics_are_printed(void **state)
{
    static const struct {
        const char *line;
        const char *answer;
        const char *printed;
    } cases[] = {
        {"stats -o tsv", "{\"teams\":3,\"storage\":4096}", "teams\tstorage\n3\t4096\n"},
        {"stats", "{\"teams\":3,\"storage\":4096}", "Teams  Storage\n    3  4.0 KiB\n"},
        {"stats t -o json", "{\"artifacts\":1,\"tags\":2}", "[{\"artifacts\":1,\"tags\":2}]\n"},
    };
    struct command_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        command_world_reset(world);
        command_world_answer(world, 200, "", cases[i].answer);
        assert_int_equal(command_world_run(world, cases[i].line, NULL), OK);
        assert_string_equal(command_world_results(world), cases[i].printed);
    }
}

static void a_tag_is_released_once(void **state)
{
    struct command_world *const world = *state;
    const char *request = NULL;

    command_world_answer(world, 200, "", "{}");
    assert_int_equal(command_world_run(world, "mark-production-ready I-1\"x t a 1.0", NULL), OK);
    assert_string_equal(command_world_results(world),
                        "Marked t/a:1.0 as ready for production (I-1\"x).\n");
    request = stub_server_request(world->server);
    assert_non_null(
        strstr(request, "POST /teams/t/artifacts/a/tags/1.0/production-ready HTTP/1.1\r\n"));
    assert_non_null(strstr(request, "\r\n\r\n{\"incident_id\":\"I-1\\\"x\"}"));
}

static void a_release_is_told_to_programs(void **state)
{
    static const struct {
        const char *line;
        const char *printed;
    } cases[] = {
        {"mark-production-ready I-1 t a 1.0 -o json",
         "[{\"team\":\"t\",\"artifact\":\"a\",\"tag\":\"1.0\",\"status\":\"production-ready\","
         "\"status_reason\":\"I-1\"}]\n"},
        {"mark-production-ready I-1 t a 1.0 -o tsv",
         "team\tartifact\ttag\tstatus\tstatus_reason\nt\ta\t1.0\tproduction-ready\tI-1\n"},
    };
    struct command_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        command_world_reset(world);
        command_world_answer(world, 200, "", "{}");
        assert_int_equal(command_world_run(world, cases[i].line, NULL), OK);
        assert_string_equal(command_world_results(world), cases[i].printed);
    }
}

static void a_refused_release_prints_nothing(void **state)
{
    static const char *const lines[] = {"mark-production-ready i t a 1", "stats", "stats t"};
    struct command_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        command_world_reset(world);
        command_world_answer(world, 403, "", "");
        assert_int_equal(command_world_run(world, lines[i], NULL), ERROR_DENIED);
        assert_string_equal(command_world_results(world), "");
    }
}

static void what_is_gone_says_what_to_use(void **state)
{
    struct command_world *const world = *state;

    assert_int_equal(command_world_run(world, "cves t a 1", NULL), OK);
    assert_non_null(strstr(command_world_results(world), "`pierone describe`"));
    assert_int_equal(stub_server_count(world->server), 0);
    assert_int_equal(command_world_run(world, "cves t a 1 -o json", NULL), OK);
    assert_int_equal(strncmp(command_world_results(world), "[{\"message\":\"`pierone cves`", 26),
                     0);
    assert_int_equal(command_world_run(world, "cves t a 1 -o tsv", NULL), OK);
    assert_int_equal(strncmp(command_world_results(world), "message\n`pierone cves`", 22), 0);
}

static void an_unknown_team_is_told_with_the_nearest(void **state)
{
    struct command_world *const world = *state;
    struct error err = {0};

    command_world_answer(world, 200, "", "[\"other\",\"team-one\"]");
    command_world_open(world, "teams");
    assert_int_equal(command_unknown_team(&world->cli, "team-won", &err), ERROR_NOT_FOUND);
    assert_non_null(strstr(err.message, "\"team-won\" has no artifacts"));
    assert_non_null(strstr(err.message, "\"team-one\""));
}

static void what_is_not_found_is_explained_by_its_team(void **state)
{
    static const struct {
        const char *team;
        enum error_code code;
        int status;
        const char *told;
    } cases[] = {
        {"team-won", ERROR_NOT_FOUND, 200, "did you mean \"team-one\"?"},
        {"team-one", ERROR_NOT_FOUND, 200, "before"},
        {"team-won", ERROR_DENIED, 200, "before"},
        {"team-won", OK, 200, "before"},
        {"team-won", ERROR_NOT_FOUND, 503, "before"},
    };
    struct command_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = {.message = "before"};

        command_world_reset(world);
        command_world_answer(world, cases[i].status, "", "[\"other\",\"team-one\"]");
        command_world_open(world, "teams");
        assert_int_equal(command_explain(&world->cli, cases[i].team, cases[i].code, &err),
                         cases[i].code);
        assert_non_null(strstr(err.message, cases[i].told));
    }
}

static void a_team_that_cannot_be_asked_about_is_not_unknown(void **state)
{
    struct command_world *const world = *state;

    command_world_answer(world, 403, "", "{\"message\":\"no\"}");
    command_world_open(world, "teams");
    assert_int_equal(command_unknown_team(&world->cli, "t", NULL), ERROR_DENIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lists_are_printed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_team_without_artifacts_is_not_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_refused_prints_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(statistics_are_printed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_tag_is_released_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_release_is_told_to_programs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refused_release_prints_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_gone_says_what_to_use, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_team_is_told_with_the_nearest, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_found_is_explained_by_its_team, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_team_that_cannot_be_asked_about_is_not_unknown, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
