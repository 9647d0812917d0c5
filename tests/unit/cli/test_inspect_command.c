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

static void what_cannot_be_looked_into_is_told(void **state)
{
    static const struct {
        const char *answers[3];
        enum error_code code;
        const char *told;
    } cases[] = {
        {{"<html>"}, ERROR_INVALID, "JSON"},
        {{"{\"layers\":[{\"digest\":\"sha256:a\",\"size\":9}]}", "short"},
         ERROR_UNAVAILABLE,
         "shorter than its manifest says"},
        {{"{\"layers\":[{\"digest\":\"sha256:a\",\"size\":5}]}", "other"}, ERROR_INVALID, ""},
        /* an index of indexes, without an end */
        {{"{\"manifests\":[{\"digest\":\"sha256:a\"}]}"}, ERROR_INVALID, "index"},
    };
    struct command_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = {0};

        command_world_reset(world);
        for (size_t j = 0; j < ARRAY_LEN(cases[i].answers) && cases[i].answers[j]; j++) {
            command_world_answer(world, 200, "", cases[i].answers[j]);
        }
        assert_int_equal(command_world_run(world, "inspect-contents t a 1", &err), cases[i].code);
        assert_non_null(strstr(err.message, cases[i].told));
        assert_string_equal(command_world_results(world), "");
    }
}

static void the_first_image_of_an_index_is_taken(void **state)
{
    struct command_world *const world = *state;

    command_world_answer(world, 200, "",
                         "{\"manifests\":[{\"digest\":\"sha256:a\"},{\"digest\":\"sha256:b\"}]}");
    command_world_answer(world, 200, "", "{\"layers\":[]}");
    assert_int_equal(command_world_run(world, "inspect-contents t a 1 -o json", NULL), OK);
    assert_string_equal(command_world_results(world), "[]\n");
    assert_non_null(
        strstr(stub_server_request(world->server), "GET /v2/t/a/manifests/sha256:a HTTP"));
}

#define ATTESTATION                                                                                \
    "{\"digest\":\"sha256:attestation\",\"platform\":{\"os\":\"unknown\",\"architecture\":"        \
    "\"unknown\"},\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\"}}"
#define IMAGE(os, architecture)                                                                    \
    "{\"digest\":\"sha256:" os "-" architecture "\",\"platform\":{\"os\":\"" os                    \
    "\",\"architecture\":\"" architecture "\"}}"
#if defined(__x86_64__)
#define MACHINE "amd64"
#define MACHINE_OR_FIRST MACHINE
#elif defined(__aarch64__)
#define MACHINE "arm64"
#define MACHINE_OR_FIRST MACHINE
#else
#define MACHINE "other"
#define MACHINE_OR_FIRST "mips"
#endif

static void an_image_is_taken_that_runs_here_if_there_is_one(void **state)
{
    static const struct {
        const char *index;
        const char *taken; /* NULL: ERROR_INVALID */
    } cases[] = {
        {"[" ATTESTATION "," IMAGE("linux", "mips") "]", "sha256:linux-mips"},
        {"[{\"digest\":\"sha256:x\",\"annotations\":{\"vnd.docker.reference.type\":\"y\"}}"
         "," IMAGE("linux", "mips") "]",
         "sha256:linux-mips"},
        {"[" IMAGE("linux", "mips") "," IMAGE("linux", "sparc") "]", "sha256:linux-mips"},
        {"[" IMAGE("linux", "mips") "," IMAGE("windows", MACHINE) "," IMAGE("linux", MACHINE) "]",
         "sha256:linux-" MACHINE_OR_FIRST},
        {"[" ATTESTATION "]", NULL},
    };
    struct command_world *const world = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = {0};

        command_world_reset(world);
        command_world_answer(
            world, 200, "",
            arena_format(&world->world->arena, "{\"manifests\":%s}", cases[i].index));
        command_world_answer(world, 200, "", "{\"layers\":[]}");
        assert_int_equal(command_world_run(world, "inspect-contents t a 1 -o json", &err),
                         cases[i].taken ? OK : ERROR_INVALID);
        if (cases[i].taken) {
            assert_non_null(strstr(stub_server_request(world->server),
                                   arena_format(&world->world->arena,
                                                "GET /v2/t/a/manifests/%s HTTP", cases[i].taken)));
        } else {
            assert_non_null(strstr(err.message, "only attestations"));
        }
    }
}

static void without_a_tag_all_are_taken(void **state)
{
    struct command_world *const world = *state;

    command_world_answer(world, 200, "", "[{\"name\":\"1\"},{\"name\":\"2\"}]");
    command_world_answer(world, 200, "", "{\"layers\":[]}");
    command_world_answer(world, 200, "",
                         "{\"layers\":[{\"mediaType\":\"application/vnd.x.signature\"}]}");
    assert_int_equal(command_world_run(world, "inspect-contents t a", NULL), OK);
    assert_int_equal(stub_server_count(world->server), 3);
    assert_non_null(strstr(stub_server_request(world->server), "GET /v2/t/a/manifests/2 HTTP"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_cannot_be_looked_into_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_first_image_of_an_index_is_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_image_is_taken_that_runs_here_if_there_is_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_a_tag_all_are_taken, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
