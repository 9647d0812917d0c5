#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/access/source_world.h"

#define KIO "application registry (Kio)"

static void setup(struct source_world *world, const char *prefix)
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
    setup(&world, NULL);
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

        setup(&world, rows[i].prefix);
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
    setup(&world, NULL);
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
        {200, "{\"id\":\"robot\"}", ERROR_UNAVAILABLE, "Kio's answer names no team"},
        {200, "[{\"team_id\":\"acme\"}]", ERROR_UNAVAILABLE, "Kio's answer names no team"},
        {200, "acme", ERROR_UNAVAILABLE, "the " KIO "'s answer is no JSON"},
    };
    struct source_world world;

    (void)state;
    setup(&world, NULL);
    source_world_expect(&world, cases, ARRAY_LEN(cases));
    source_world_expect_no_yes_from_a_failure(&world);
    source_world_expect_no_question_without_a_token(&world);
    source_world_release(&world);
}

static void check_tells_whether_it_can_be_reached(void **state)
{
    struct source_world world;

    (void)state;
    setup(&world, NULL);
    source_world_expect_check(&world, "https://kio/apps/check", KIO ": ");
    source_world_release(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_services_are_covered),
        cmocka_unit_test(application_is_the_name_without_its_prefix),
        cmocka_unit_test(kio_is_asked_in_the_callers_name),
        cmocka_unit_test(only_the_applications_own_team_is_granted),
        cmocka_unit_test(check_tells_whether_it_can_be_reached),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
