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

#define TAG(name)                                                                                  \
    "{\"name\":\"" name "\",\"created\":\"2015-05-07T15:49:51.230Z\",\"created_by\":\"jane\"}"
#define SOURCE "{\"url\":\"git:x\",\"revision\":\"r\",\"author\":\"j\",\"status\":\"\"}"
#define TAG_NAMES "team\tartifact\ttag\tcreated_time\tcreated_by\tstatus\tstatus_reason\n"
#define SOURCE_NAMES "tag\tauthor\turl\trevision\tstatus\tcreated_time\tcreated_by\n"

#define CHANGE(from, to)                                                                           \
    "{\"changed\":\"2015-05-07T15:49:51.230Z\",\"changed_by_kind\":\"service\","                   \
    "\"changed_by\":\"jane\",\"from\":" from ",\"to\":" to "}"
#define CHANGE_NAMES "tag\tchanged_time\tchanged_by_kind\tchanged_by\tfrom\tto\n"

static void tags_and_sources_are_printed(void **state)
{
    static const struct {
        const char *line;
        const char *answers[5];
        const char *printed;
        const char *asked;
    } cases[] = {
        {"tags t a -o tsv",
         {"[" TAG("1") "," TAG("2") "]"},
         TAG_NAMES "t\ta\t1\t1431013791\tjane\t\t\nt\ta\t2\t1431013791\tjane\t\t\n",
         "/teams/t/artifacts/a/tags?newest=20 "},
        {"tags t a b -l 1 -o tsv",
         {"[" TAG("2") "]", "[" TAG("3") "]"},
         TAG_NAMES "t\ta\t2\t1431013791\tjane\t\t\nt\tb\t3\t1431013791\tjane\t\t\n",
         "/teams/t/artifacts/b/tags?newest=1 "},
        {"tags t -o tsv",
         {"[\"a\"]", "[{\"name\":\"2\"},{\"name\":\"3\"}]"},
         TAG_NAMES "t\ta\t2\t\t\t\t\nt\ta\t3\t\t\t\t\n",
         "/teams/t/artifacts/a/tags?newest=3 "},
        {"tags t a -o json",
         {"[{\"name\":\"1\",\"created\":\"odd\",\"created_by\":5,\"status\":\"ok\"}]"},
         "[{\"team\":\"t\",\"artifact\":\"a\",\"tag\":\"1\",\"created_time\":null,"
         "\"created_by\":null,\"status\":\"ok\",\"status_reason\":null}]\n",
         "?newest=20 "},
        {"scm-source t a 1 -o tsv",
         {TAG("1"), SOURCE},
         SOURCE_NAMES "1\tj\tgit:x\tr\t\t1431013791\tjane\n",
         "/tags/1 "},
        {"scm-source t a -l 1 -o tsv",
         {"[" TAG("2") "]", SOURCE},
         SOURCE_NAMES "2\tj\tgit:x\tr\t\t1431013791\tjane\n",
         "?newest=1 "},
        {"history t a 1 -o tsv",
         {"[" CHANGE("null", "\"sha256:a\"") "," CHANGE("\"sha256:a\"", "\"sha256:b\"") "]"},
         CHANGE_NAMES "1\t1431013791\tservice\tjane\t\tsha256:a\n"
                      "1\t1431013791\tservice\tjane\tsha256:a\tsha256:b\n",
         "/teams/t/artifacts/a/tags/1/history "},
        {"history t a -l 2 -o json",
         {"[" TAG("2") "," TAG("3") "]", "[" CHANGE("null", "\"sha256:b\"") "]", "[{\"to\":7}]"},
         "[{\"tag\":\"2\",\"changed_time\":1431013791,\"changed_by_kind\":\"service\","
         "\"changed_by\":\"jane\",\"from\":null,\"to\":\"sha256:b\"},"
         "{\"tag\":\"3\",\"changed_time\":null,\"changed_by_kind\":null,"
         "\"changed_by\":null,\"from\":null,\"to\":null}]\n",
         "/tags/3/history "},
    };
    struct command_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        command_world_reset(world);
        for (size_t j = 0; j < ARRAY_LEN(cases[i].answers) && cases[i].answers[j]; j++) {
            command_world_answer(world, 200, "", cases[i].answers[j]);
        }
        assert_int_equal(command_world_run(world, cases[i].line, NULL), OK);
        assert_string_equal(command_world_results(world), cases[i].printed);
        assert_non_null(strstr(stub_server_heads(world->server), cases[i].asked));
    }
}

static void a_tag_is_described(void **state)
{
    struct command_world *const world = *state;

    command_world_answer(world, 200, "",
                         "{\"name\":\"1\",\"digest\":\"sha256:d\",\"size\":2048,"
                         "\"platforms\":[\"linux/amd64\",\"linux/arm64\"]}");
    command_world_answer(world, 200, "", SOURCE);
    assert_int_equal(command_world_run(world, "describe t a 1", NULL), OK);
    assert_string_equal(command_world_results(world), "Image\n"
                                                      "  Team        t\n"
                                                      "  Artifact    a\n"
                                                      "  Tag         1\n"
                                                      "  Digest      sha256:d\n"
                                                      "  Size        2.0 KiB\n"
                                                      "  Platforms   linux/amd64,linux/arm64\n"
                                                      "\nBuilt from\n"
                                                      "  URL         git:x\n"
                                                      "  Revision    r\n"
                                                      "  Author      j\n"
                                                      "  Work tree   \n");
}

static void a_tag_without_a_source_is_described_too(void **state)
{
    struct command_world *const world = *state;

    command_world_answer(world, 200, "", "{\"name\":\"1\"}");
    command_world_answer(world, 404, "", "");
    assert_int_equal(command_world_run(world, "describe t a 1", NULL), OK);
    assert_null(strstr(command_world_results(world), "Built from"));
    assert_non_null(strstr(command_world_results(world), "  Tag         1\n"));
}

static void an_unknown_team_is_told(void **state)
{
    struct command_world *const world = *state;
    struct error err = {0};

    command_world_answer(world, 200, "", "[]");
    assert_int_equal(command_world_run(world, "tags t", &err), ERROR_NOT_FOUND);
    assert_non_null(strstr(err.message, "\"t\" has no artifacts"));
}

static void what_is_refused_prints_nothing(void **state)
{
    static const char *const lines[] = {"tags t",           "tags t a",    "scm-source t a",
                                        "scm-source t a 1", "history t a", "history t a 1",
                                        "describe t a 1"};
    struct command_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        command_world_reset(world);
        command_world_answer(world, 403, "", "");
        assert_int_equal(command_world_run(world, lines[i], NULL), ERROR_DENIED);
        assert_string_equal(command_world_results(world), "");
    }
}

/* What stands before the failure is released. */
static void a_source_that_fails_ends_it(void **state)
{
    static const char *const lines[] = {"describe t a 1", "scm-source t a 1"};
    struct command_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        command_world_reset(world);
        command_world_answer(world, 200, "", TAG("1"));
        command_world_answer(world, 403, "", "");
        assert_int_equal(command_world_run(world, lines[i], NULL), ERROR_DENIED);
        assert_string_equal(command_world_results(world), "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tags_and_sources_are_printed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_tag_is_described, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_tag_without_a_source_is_described_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_team_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_refused_prints_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_source_that_fails_ends_it, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
