#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_value.h"
#include "tests/unit/access/source_world.h"

#define NOT_LISTED "not listed"
#define NO_LIST "the team service's answer is no list"
#define NO_JSON "the team service's answer is no JSON"

static void teams_setup(struct source_world *world, const char *url, enum team_service_form form)
{
    source_world_init(world);
    world->source = team_service_source_new(url, form, world->client);
}

static void only_employees_are_covered(void **state)
{
    struct source_world world;

    (void)state;
    teams_setup(&world, "https://teams", TEAM_SERVICE_ACCOUNTS);
    for (int kind = IDENTITY_UNKNOWN; kind <= IDENTITY_INSTANCE; kind++) {
        world.identity.kind = (enum identity_kind)kind;
        assert_int_equal(world.source->driver->covers(world.source, &world.identity),
                         kind == IDENTITY_EMPLOYEE);
    }
    source_world_release(&world);
}

static void both_forms_are_asked_in_the_callers_name(void **state)
{
    static const struct {
        const char *base;
        enum team_service_form form;
        const char *url;
    } rows[] = {
        {"https://teams", TEAM_SERVICE_ACCOUNTS, "https://teams/api/accounts/aws?member=jdoe"},
        {"https://teams/", TEAM_SERVICE_ACCOUNTS, "https://teams/api/accounts/aws?member=jdoe"},
        {"http://x:1/y/", TEAM_SERVICE_ACCOUNTS, "http://x:1/y/api/accounts/aws?member=jdoe"},
        {"https://teams", TEAM_SERVICE_USER, "https://teams/user/jdoe"},
        {"https://teams/", TEAM_SERVICE_USER, "https://teams/user/jdoe"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct source_world world;

        teams_setup(&world, rows[i].base, rows[i].form);
        fake_http_client_answer_all(world.client, 200, "[{\"name\":\"acme\"}]");
        assert_int_equal(source_world_ask(&world), OK);
        assert_string_equal(fake_http_client_request(world.client)->url, rows[i].url);
        assert_string_equal(fake_http_client_request(world.client)->method, "GET");
        assert_string_equal(fake_http_client_request(world.client)->bearer, "a-secret");
        assert_string_equal(fake_http_client_request(world.client)->body, "");
        assert_false(fake_http_client_request(world.client)->has_others);
        source_world_release(&world);
    }
}

static void account_of_the_teams_name_makes_a_member(void **state)
{
    static const struct source_case cases[] = {
        {200, "[{\"name\":\"acme\"}]", OK, ""},
        {200, "[{\"id\":\"1\",\"name\":\"acme\",\"type\":\"aws\",\"disabled\":false}]", OK, ""},
        {200, "[{\"name\":\"other\"},{\"name\":\"acme\"}]", OK, ""},
        {200, "[{\"name\":\"acme\",\"disabled\":true},{\"name\":\"acme\"}]", OK, ""},
        {200, "[7,null,{\"name\":7},{\"name\":\"acme\"}]", OK, ""},
        {200, "[]", ERROR_DENIED, NOT_LISTED},
        {200, "[{\"name\":\"other\"}]", ERROR_DENIED, NOT_LISTED},
        {200, "[{\"id\":\"acme\",\"name\":\"other\"}]", ERROR_DENIED, NOT_LISTED},
        {200, "[{\"name\":\"acme\",\"disabled\":true}]", ERROR_DENIED, NOT_LISTED},
        {200, "[{\"name\":\"acme\",\"disabled\":\"true\"}]", ERROR_DENIED, NOT_LISTED},
        {200, "[{\"name\":\"acme\",\"disabled\":1}]", ERROR_DENIED, NOT_LISTED},
        {200, "[{\"name\":\"acme\",\"disabled\":null}]", ERROR_DENIED, NOT_LISTED},
        {200, "[{\"name\":\"ACME\"}]", ERROR_DENIED, NOT_LISTED},
        {200, "[{\"name\":\"acme \"}]", ERROR_DENIED, NOT_LISTED},
        {200, "[{\"name\":\"acm\"},{\"name\":\"acmes\"}]", ERROR_DENIED, NOT_LISTED},
        {200, "[{\"name\":[\"acme\"]}]", ERROR_DENIED, NOT_LISTED},
        {200, "[{\"description\":\"acme\",\"owner\":\"acme\"}]", ERROR_DENIED, NOT_LISTED},
        {200, "[\"acme\"]", ERROR_DENIED, NOT_LISTED},
        {200, "[[{\"name\":\"acme\"}]]", ERROR_DENIED, NOT_LISTED},
    };
    struct source_world world;

    (void)state;
    teams_setup(&world, "https://teams", TEAM_SERVICE_ACCOUNTS);
    source_world_expect(&world, cases, ARRAY_LEN(cases));
    source_world_release(&world);
}

static void team_by_id_or_name_makes_a_member(void **state)
{
    static const struct source_case cases[] = {
        {200, "[{\"id\":\"acme\",\"name\":\"The Acme team\"}]", OK, ""},
        {200, "[{\"id\":\"7\",\"name\":\"acme\",\"infrastructure-accounts\":[]}]", OK, ""},
        {200, "[{\"id\":\"x\"},{\"id\":\"acme\"}]", OK, ""},
        {200,
         "[{\"id\":\"other\",\"infrastructure-accounts\":[{\"name\":\"acme\",\"id\":\"acme\"}]}]",
         ERROR_DENIED, NOT_LISTED},
        {200, "[{\"id\":\"acme\",\"disabled\":true}]", ERROR_DENIED, NOT_LISTED},
        {200, "[]", ERROR_DENIED, NOT_LISTED},
        {404, "", ERROR_DENIED, NOT_LISTED},
        {404, "[{\"id\":\"acme\"}]", ERROR_DENIED, NOT_LISTED},
    };
    struct source_world world;

    (void)state;
    teams_setup(&world, "https://teams", TEAM_SERVICE_USER);
    source_world_expect(&world, cases, ARRAY_LEN(cases));
    source_world_release(&world);
}

static void failures_are_told_apart(void **state)
{
    static const struct source_case cases[] = {
        {401, "", ERROR_DENIED, "the team service refuses the caller's token"},
        {403, "[{\"name\":\"acme\"}]", ERROR_DENIED, "the team service refuses the caller's token"},
        {0, "no route to teams", ERROR_UNAVAILABLE, "no route to teams"},
        {500, "", ERROR_UNAVAILABLE, "the team service answers with status 500"},
        {302, "", ERROR_UNAVAILABLE, "the team service answers with status 302"},
        {204, "", ERROR_UNAVAILABLE, "the team service answers with status 204"},
        {400, "", ERROR_UNAVAILABLE, "the team service answers with status 400"},
        {429, "", ERROR_UNAVAILABLE, "the team service answers with status 429"},
        {200, "", ERROR_UNAVAILABLE, NO_JSON},
        {200, "[{\"name\":\"acme\"}", ERROR_UNAVAILABLE, NO_JSON},
        {200, "[{\"name\":\"x\",\"name\":\"acme\"}]", ERROR_UNAVAILABLE, NO_JSON},
        {200, "{\"name\":\"acme\"}", ERROR_UNAVAILABLE, NO_LIST},
        {200, "\"acme\"", ERROR_UNAVAILABLE, NO_LIST},
        {200, "null", ERROR_UNAVAILABLE, NO_LIST},
    };
    struct source_world world;

    (void)state;
    for (int form = TEAM_SERVICE_ACCOUNTS; form <= TEAM_SERVICE_USER; form++) {
        teams_setup(&world, "https://teams", (enum team_service_form)form);
        source_world_expect(&world, cases, ARRAY_LEN(cases));
        source_world_expect_no_yes_from_a_failure(&world);
        source_world_expect_no_question_without_a_token(&world);
        source_world_release(&world);
    }
}

/* Every byte, so that none ends the value, begins another one, or a fragment. */
static void name_stays_within_its_place(void **state)
{
    static const char accounts[] = "https://teams/api/accounts/aws?member=";
    static const char user[] = "https://teams/user/";
    struct source_world world;

    (void)state;
    for (int form = TEAM_SERVICE_ACCOUNTS; form <= TEAM_SERVICE_USER; form++) {
        const char *base = form == TEAM_SERVICE_USER ? user : accounts;

        teams_setup(&world, "https://teams", (enum team_service_form)form);
        fake_http_client_answer_all(world.client, 200, "[{\"name\":\"acme\"}]");
        for (int byte = 1; byte < 256; byte++) {
            const char name[] = {'a', (char)byte, 'b'};
            const char *rest = NULL;

            world.identity.name = (struct str){name, sizeof(name)};
            if (form == TEAM_SERVICE_USER && (byte == '/' || byte == '\\')) {
                assert_int_equal(source_world_ask(&world), ERROR_DENIED);
                continue;
            }
            assert_int_equal(source_world_ask(&world), OK);
            rest = fake_http_client_request(world.client)->url + strlen(base);
            assert_memory_equal(fake_http_client_request(world.client)->url, base, strlen(base));
            assert_null(strpbrk(rest, "/?#&=+;: \\\"<>"));
            assert_true(strlen(rest) == 3 || (strlen(rest) == 5 && rest[1] == '%'));
        }
        source_world_release(&world);
    }
}

static void name_that_is_no_segment_is_not_asked_about(void **state)
{
    static const char *const names[] = {".", "..", "../boss", "a/../boss", "/", "a\\b"};
    struct source_world world;

    (void)state;
    teams_setup(&world, "https://teams", TEAM_SERVICE_USER);
    fake_http_client_answer_all(world.client, 200, "[{\"name\":\"acme\"}]");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        world.identity.name = str_from(names[i]);
        assert_int_equal(source_world_ask(&world), ERROR_DENIED);
        assert_non_null(strstr(world.err.message, "cannot be asked about"));
    }
    assert_int_equal(fake_http_client_request(world.client)->count, 0);
    source_world_release(&world);
}

/* Cutting an URL would ask about somebody else. */
static void longest_name_is_asked_about_as_a_whole(void **state)
{
    char base[2000] = "https://teams/";
    char name[IDENTITY_NAME_BYTES];
    struct source_world world;

    (void)state;
    memset(base + strlen(base), 'b', sizeof(base) - 1 - strlen(base));
    memset(name, ' ', sizeof(name));
    for (int form = TEAM_SERVICE_ACCOUNTS; form <= TEAM_SERVICE_USER; form++) {
        size_t length = 0;

        teams_setup(&world, base, (enum team_service_form)form);
        world.identity.name = (struct str){name, sizeof(name)};
        fake_http_client_answer_all(world.client, 200, "[{\"name\":\"acme\"}]");
        assert_int_equal(source_world_ask(&world), OK);
        length = strlen(base) +
                 strlen(form == TEAM_SERVICE_USER ? "/user/" : "/api/accounts/aws?member=");
        assert_int_equal(strlen(fake_http_client_request(world.client)->url),
                         length + sizeof(name) * 3);
        source_world_release(&world);
    }
}

static void teams_check_tells_whether_it_can_be_reached(void **state)
{
    struct source_world world;

    (void)state;
    teams_setup(&world, "https://teams/", TEAM_SERVICE_ACCOUNTS);
    source_world_expect_check(&world, "https://teams/api/accounts/aws?member=check",
                              "team service: ");
    source_world_release(&world);
    teams_setup(&world, "https://teams", TEAM_SERVICE_USER);
    source_world_expect_check(&world, "https://teams/user/check", "team service: ");
    source_world_release(&world);
}

#define KIO "application registry (Kio)"

static void kio_setup(struct source_world *world, const char *prefix)
{
    source_world_init(world);
    world->identity.kind = IDENTITY_SERVICE;
    world->identity.name = str_from("stups_robot");
    world->source = kio_source_new("https://kio", prefix, world->client);
}

static void only_services_are_covered(void **state)
{
    struct source_world world;

    (void)state;
    kio_setup(&world, NULL);
    for (int kind = IDENTITY_UNKNOWN; kind <= IDENTITY_INSTANCE; kind++) {
        world.identity.kind = (enum identity_kind)kind;
        assert_int_equal(world.source->driver->covers(world.source, &world.identity),
                         kind == IDENTITY_SERVICE);
    }
    source_world_release(&world);
}

static void application_is_the_name_without_its_prefix(void **state)
{
    static const struct {
        const char *prefix;
        const char *name;
        const char *url; /* NULL: no application */
    } rows[] = {
        {NULL, "stups_robot", "https://kio/apps/robot"},
        {NULL, "a_b_robot", "https://kio/apps/robot"},
        {NULL, "_robot", "https://kio/apps/robot"},
        {NULL, "robot", "https://kio/apps/robot"},
        {NULL, "stups_", NULL},
        {NULL, "_", NULL},
        {NULL, "stups_..", NULL},
        {NULL, "stups_.", NULL},
        {NULL, "..", NULL},
        {NULL, "stups_x/../boss", NULL},
        {NULL, "stups_/", NULL},
        {NULL, "stups_\\", NULL},
        {NULL, "stups_a b?#%", "https://kio/apps/a%20b%3F%23%25"},
        {"stups_", "stups_robot", "https://kio/apps/robot"},
        {"stups_", "stups_a_robot", "https://kio/apps/a_robot"},
        {"stups_", "robot", NULL},
        {"stups_", "Stups_robot", NULL},
        {"stups_", "other_robot", NULL},
        {"stups_", "xstups_robot", NULL},
        {"stups_", "stups_", NULL},
        {"stups_", "stups", NULL},
        {"stups_", "stups_..", NULL},
        {"", "stups_robot", "https://kio/apps/stups_robot"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct source_world world;

        kio_setup(&world, rows[i].prefix);
        world.identity.name = str_from(rows[i].name);
        fake_http_client_answer_all(world.client, 200, "{\"team_id\":\"acme\"}");
        assert_int_equal(source_world_ask(&world), rows[i].url ? OK : ERROR_DENIED);
        assert_int_equal(fake_http_client_request(world.client)->count, rows[i].url ? 1 : 0);
        assert_string_equal(fake_http_client_request(world.client)->url,
                            rows[i].url ? rows[i].url : "");
        source_world_release(&world);
    }
}

static void kio_is_asked_in_the_callers_name(void **state)
{
    struct source_world world;

    (void)state;
    kio_setup(&world, NULL);
    fake_http_client_answer_all(world.client, 200, "{\"team_id\":\"acme\"}");
    assert_int_equal(source_world_ask(&world), OK);
    assert_string_equal(fake_http_client_request(world.client)->method, "GET");
    assert_string_equal(fake_http_client_request(world.client)->bearer, "a-secret");
    assert_string_equal(fake_http_client_request(world.client)->body, "");
    assert_false(fake_http_client_request(world.client)->has_others);
    source_world_release(&world);
}

static void only_the_applications_own_team_is_granted(void **state)
{
    static const char other[] = "not listed";
    static const struct source_case cases[] = {
        {200, "{\"team_id\":\"acme\"}", OK, ""},
        {200, "{\"id\":\"robot\",\"team_id\":\"acme\",\"active\":true}", OK, ""},
        {200, "{\"team_id\":\"other\"}", ERROR_DENIED, other},
        {200, "{\"team_id\":\"ACME\"}", ERROR_DENIED, other},
        {200, "{\"team_id\":\"acmes\"}", ERROR_DENIED, other},
        {200, "{\"team_id\":\"acm\"}", ERROR_DENIED, other},
        {404, "", ERROR_DENIED, "Kio has no application robot"},
        {404, "{\"team_id\":\"acme\"}", ERROR_DENIED, "Kio has no application robot"},
        {401, "", ERROR_DENIED, "the " KIO " refuses the caller's token"},
        {403, "{\"team_id\":\"acme\"}", ERROR_DENIED, "the " KIO " refuses the caller's token"},
        {0, "no route to kio", ERROR_UNAVAILABLE, "no route to kio"},
        {503, "", ERROR_UNAVAILABLE, "the " KIO " answers with status 503"},
        {301, "", ERROR_UNAVAILABLE, "the " KIO " answers with status 301"},
        {200, "{\"id\":\"robot\"}", ERROR_UNAVAILABLE, "Kio's answer has no \"team_id\""},
        {200, "[{\"team_id\":\"acme\"}]", ERROR_UNAVAILABLE, "Kio's answer is no JSON object"},
        {200, "acme", ERROR_UNAVAILABLE, "the " KIO "'s answer is no JSON"},
    };
    struct source_world world;

    (void)state;
    kio_setup(&world, NULL);
    source_world_expect(&world, cases, ARRAY_LEN(cases));
    source_world_expect_no_yes_from_a_failure(&world);
    source_world_expect_no_question_without_a_token(&world);
    source_world_release(&world);
}

static void kio_check_tells_whether_it_can_be_reached(void **state)
{
    struct source_world world;

    (void)state;
    kio_setup(&world, NULL);
    source_world_expect_check(&world, "https://kio/apps/check", KIO ": ");
    source_world_release(&world);
}

static void permission_setup(struct source_world *world)
{
    source_world_init(world);
    world->source = permission_source_new("https://permission/", world->client);
}

static void employees_and_services_are_covered(void **state)
{
    struct source_world world;

    (void)state;
    permission_setup(&world);
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
    permission_setup(&world);
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
    permission_setup(&world);
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
    permission_setup(&world);
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
    permission_setup(&world);
    source_world_expect(&world, cases, ARRAY_LEN(cases));
    source_world_expect_no_question_without_a_token(&world);
    source_world_release(&world);
}

static void permission_check_tells_whether_it_can_be_reached(void **state)
{
    struct source_world world;

    (void)state;
    permission_setup(&world);
    source_world_expect_check(&world, "https://permission/auth", "permission service: ");
    source_world_release(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_employees_are_covered),
        cmocka_unit_test(both_forms_are_asked_in_the_callers_name),
        cmocka_unit_test(account_of_the_teams_name_makes_a_member),
        cmocka_unit_test(team_by_id_or_name_makes_a_member),
        cmocka_unit_test(failures_are_told_apart),
        cmocka_unit_test(name_stays_within_its_place),
        cmocka_unit_test(name_that_is_no_segment_is_not_asked_about),
        cmocka_unit_test(longest_name_is_asked_about_as_a_whole),
        cmocka_unit_test(teams_check_tells_whether_it_can_be_reached),
        cmocka_unit_test(only_services_are_covered),
        cmocka_unit_test(application_is_the_name_without_its_prefix),
        cmocka_unit_test(kio_is_asked_in_the_callers_name),
        cmocka_unit_test(only_the_applications_own_team_is_granted),
        cmocka_unit_test(kio_check_tells_whether_it_can_be_reached),
        cmocka_unit_test(employees_and_services_are_covered),
        cmocka_unit_test(policy_and_team_are_in_the_body),
        cmocka_unit_test(team_stays_within_its_string),
        cmocka_unit_test(only_200_is_a_yes),
        cmocka_unit_test(refusals_say_why),
        cmocka_unit_test(permission_check_tells_whether_it_can_be_reached),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
