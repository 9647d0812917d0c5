#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_value.h"
#include "tests/unit/access/source_world.h"

static void setup(struct source_world *world)
{
    source_world_init(world);
    world->source = permission_source_new("https://permission/", world->client);
}

static void employees_and_services_are_covered(void **state)
{
    struct source_world world;

    (void)state;
    setup(&world);
    for (int kind = IDENTITY_UNKNOWN; kind <= IDENTITY_INSTANCE; kind++) {
        world.identity.kind = (enum identity_kind)kind;
        assert_int_equal(world.source->driver->covers(world.source, &world.identity),
                         kind == IDENTITY_EMPLOYEE || kind == IDENTITY_SERVICE);
    }
    source_world_release(&world);
}

static void policy_and_team_are_in_the_body(void **state)
{
    struct source_world world;

    (void)state;
    setup(&world);
    fake_http_client_answer_all(world.client, 200, "");
    assert_int_equal(source_world_ask(&world), OK);
    assert_string_equal(fake_http_client_request(world.client)->url, "https://permission/auth");
    assert_string_equal(fake_http_client_request(world.client)->method, "GET");
    assert_string_equal(fake_http_client_request(world.client)->bearer, "a-secret");
    assert_string_equal(fake_http_client_request(world.client)->content_type, "application/json");
    assert_string_equal(fake_http_client_request(world.client)->body,
                        "{\"policy\":\"relaxed-radical-agility\",\"payload\":{\"team\":\"acme\"}}");
    assert_false(fake_http_client_request(world.client)->has_others);
    source_world_release(&world);
}

static void team_stays_within_its_string(void **state)
{
    static const char *const teams[] = {"a\",\"team\":\"b", "a\\", "a\n\t\x01", "\xc3\xbc", "}}"};
    struct source_world world;

    (void)state;
    setup(&world);
    fake_http_client_answer_all(world.client, 200, "");
    for (size_t i = 0; i < ARRAY_LEN(teams); i++) {
        struct json_value *json = NULL;
        const struct json_value *payload = NULL;

        world.team = teams[i];
        assert_int_equal(source_world_ask(&world), OK);
        assert_int_equal(
            json_value_parse(str_from(fake_http_client_request(world.client)->body), &json, NULL),
            OK);
        payload = json_value_member(json, "payload");
        assert_true(str_is(json_value_member_string(payload, "team"), teams[i]));
        json_value_free(json);
    }
    source_world_release(&world);
}

/* 200 is yes, whatever else is said; what is there and says something else says no. */
static void only_200_is_a_yes(void **state)
{
    struct source_world world;

    (void)state;
    setup(&world);
    for (int status = 100; status < 600; status++) {
        const enum error_code expected = status == 200                   ? OK
                                         : status < 200 || status >= 500 ? ERROR_UNAVAILABLE
                                                                         : ERROR_DENIED;

        fake_http_client_answer_all(world.client, status, "{\"allowed\":true}");
        assert_int_equal(source_world_ask(&world), expected);
    }
    source_world_release(&world);
}

static void refusals_say_why(void **state)
{
    static const struct source_case cases[] = {
        {200, "nonsense", OK, ""},
        {204, "", ERROR_DENIED, "the permission service does not let jdoe act for team acme"},
        {404, "", ERROR_DENIED, "the permission service does not let jdoe act for team acme"},
        {401, "", ERROR_DENIED, "the permission service refuses the caller's token"},
        {403, "", ERROR_DENIED, "the permission service refuses the caller's token"},
        {500, "", ERROR_UNAVAILABLE, "the permission service answers with status 500"},
        {0, "no route", ERROR_UNAVAILABLE, "no route"},
    };
    struct source_world world;

    (void)state;
    setup(&world);
    source_world_expect(&world, cases, ARRAY_LEN(cases));
    source_world_expect_no_question_without_a_token(&world);
    source_world_release(&world);
}

static void check_tells_whether_it_can_be_reached(void **state)
{
    struct source_world world;

    (void)state;
    setup(&world);
    source_world_expect_check(&world, "https://permission/auth", "permission service: ");
    source_world_release(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(employees_and_services_are_covered),
        cmocka_unit_test(policy_and_team_are_in_the_body),
        cmocka_unit_test(team_stays_within_its_string),
        cmocka_unit_test(only_200_is_a_yes),
        cmocka_unit_test(refusals_say_why),
        cmocka_unit_test(check_tells_whether_it_can_be_reached),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
