#include "cli/api_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

static enum error_code see(void *context, const struct json_value *element, struct error *err)
{
    (void)err;
    strbuf_append(context, json_value_member_string(element, "name"));
    strbuf_append_byte(context, ' ');
    return OK;
}

static void the_newest_are_asked_for(void **state)
{
    static const char *const parts[] = {"t", "a/b"};
    static const char tags[] = "[{\"name\":\"a\"},{\"name\":\"b\"}]";
    struct command_world *const world = *state;
    struct strbuf seen;
    const struct api_visitor visitor = {&seen, see};

    strbuf_init(&seen, 100);
    command_world_answer(world, 200, "", tags);
    command_world_open(world, "teams");
    assert_int_equal(api_list_newest(&world->cli, parts, 20, &visitor, NULL), OK);
    assert_string_equal(seen.text, "a b ");
    assert_non_null(
        strstr(stub_server_request(world->server), "GET /teams/t/artifacts/a%2Fb/tags?newest=20 "));
    strbuf_release(&seen);
}

static void an_unknown_team_is_told_with_the_nearest(void **state)
{
    struct command_world *const world = *state;
    struct error err = {0};

    command_world_answer(world, 200, "", "[\"other\",\"team-one\"]");
    command_world_open(world, "teams");
    assert_int_equal(api_unknown_team(&world->cli, "team-won", &err), ERROR_NOT_FOUND);
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
        assert_int_equal(api_explain(&world->cli, cases[i].team, cases[i].code, &err),
                         cases[i].code);
        assert_non_null(strstr(err.message, cases[i].told));
    }
}

static void what_fails_is_passed_on(void **state)
{
    static const char *const parts[] = {"t", "a"};
    struct command_world *const world = *state;
    struct strbuf seen;
    const struct api_visitor visitor = {&seen, see};

    strbuf_init(&seen, 100);
    command_world_answer(world, 403, "", "{\"message\":\"no\"}");
    command_world_open(world, "teams");
    assert_int_equal(api_unknown_team(&world->cli, "t", NULL), ERROR_DENIED);
    assert_int_equal(api_list_newest(&world->cli, parts, 5, &visitor, NULL), ERROR_DENIED);
    assert_string_equal(seen.text, "");
    strbuf_release(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_newest_are_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_team_is_told_with_the_nearest, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_found_is_explained_by_its_team, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_fails_is_passed_on, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
