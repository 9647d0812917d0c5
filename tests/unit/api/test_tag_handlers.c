#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "guarded_world.h"

#define LONG_PART "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONG LONG_PART LONG_PART LONG_PART LONG_PART
#define WHO "Bearer employee:jdoe"

/* Pushes one image to each of the paths, as somebody who may, one second after the other. */
static int set_up(void **state)
{
    static const char *const paths[] = {"all/app/manifests/2.0", "all/app/manifests/1.0",
                                        "all/deep/er/manifests/1"};
    struct guarded_world *world = NULL;
    char manifest[TEST_MANIFEST_BYTES];
    struct api_config config = {0};

    (void)guarded_world_set_up(state);
    world = *state;
    config.authenticator = world->authenticator;
    config.teams = world->directory;
    config.token_keys = world->keys;
    api_world_serve(&world->world, &(struct api_config){0});
    api_world_make_image(&world->world, "listed", manifest);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        api_world_push(&world->world, paths[i], TEST_IMAGE_TYPE, manifest, &world->reply);
        assert_int_equal(world->reply.status, 201);
        fake_clock_advance(&world->world.clock, 1000);
    }
    api_world_serve(&world->world, &config);
    return 0;
}

static void lists_are_answered(void **state)
{
    static const char *const rows[][2] = {
        {"/teams", "[\"all\"]"},           {"/teams?limit=1", "[\"all\"]"},
        {"/teams?cursor=all", "[]"},       {"/teams/all/artifacts", "[\"app\",\"deep/er\"]"},
        {"/teams/nobody/artifacts", "[]"},
    };
    struct guarded_world *world = *state;
    char line[128];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void)snprintf(line, sizeof(line), "GET %s", rows[i][0]);
        assert_int_equal(guarded_world_ask(world, line, WHO)->status, 200);
        assert_string_equal(world->reply.body.text, rows[i][1]);
    }
}

static void pages_follow_each_other(void **state)
{
    struct guarded_world *world = *state;
    const struct reply *reply = guarded_world_ask(world, "GET /teams/all/artifacts?limit=1", WHO);
    char line[256];
    struct str link;

    assert_string_equal(reply->body.text, "[\"app\"]");
    assert_true(reply_has(reply, "Link: </teams/all/artifacts?limit=1&cursor=app>; rel=\"next\""));
    reply = guarded_world_ask(world, "GET /teams/all/artifacts?limit=1&cursor=app", WHO);
    assert_string_equal(reply->body.text, "[\"deep/er\"]");
    assert_int_equal(reply_field(reply, "Link").length, 0);
    reply = guarded_world_ask(world, "GET /teams/all/artifacts/app/tags?limit=1", WHO);
    assert_true(reply_says(reply, "\"name\":\"2.0\""));
    assert_false(reply_says(reply, "\"name\":\"1.0\""));
    link = reply_field(reply, "Link");
    link = str_slice(link, 1, str_index_of(link, '>'));
    (void)snprintf(line, sizeof(line), "GET %.*s", STR_FORMAT(link));
    reply = guarded_world_ask(world, line, WHO);
    assert_true(reply_says(reply, "\"name\":\"1.0\""));
    assert_false(reply_says(reply, "\"name\":\"2.0\""));
    assert_int_equal(reply_field(reply, "Link").length, 0);
}

static void the_newest_tags_are_told_alone(void **state)
{
    struct guarded_world *world = *state;
    const struct reply *reply =
        guarded_world_ask(world, "GET /teams/all/artifacts/app/tags?newest=1", WHO);

    assert_true(reply_says(reply, "\"name\":\"1.0\""));
    assert_false(reply_says(reply, "\"name\":\"2.0\""));
    assert_int_equal(reply_field(reply, "Link").length, 0);
    reply = guarded_world_ask(world, "GET /teams/all/artifacts/app/tags?newest=2&limit=1", WHO);
    assert_true(reply_says(reply, "\"name\":\"2.0\""));
    assert_true(reply_field(reply, "Link").length > 0);
    reply = guarded_world_ask(world,
                              "GET /teams/all/artifacts/app/tags?newest=18446744073709551615", WHO);
    assert_int_equal(reply->status, 200);
}

static void a_tag_has_the_originals_fields_and_more(void **state)
{
    struct guarded_world *world = *state;
    const struct reply *reply =
        guarded_world_ask(world, "GET /teams/all/artifacts/app/tags/2.0", WHO);

    assert_int_equal(reply->status, 200);
    assert_true(str_starts_with(strbuf_str(&reply->body),
                                "{\"name\":\"2.0\",\"created\":\"2015-05-07T15:49:51.230Z\","
                                "\"created_by\":\"anonymous\",\"image\":\"sha256:"));
    assert_true(reply_says(reply, "\"clair_id\":null,\"severity_fix_available\":null,"
                                  "\"severity_no_fix_available\":null,\"clair_details\":null,"
                                  "\"digest\":\"sha256:"));
    assert_true(reply_says(reply, "\"media_type\":\"" TEST_IMAGE_TYPE "\",\"platforms\":[]}"));
    reply = guarded_world_ask(world, "GET /teams/all/artifacts/app/tags/latest", WHO);
    assert_true(reply_says(reply, "{\"name\":\"1.0\"")); /* the newest by time */
}

static void artifacts_match_from_the_right(void **state)
{
    static const char *const lines[] = {
        "GET /teams/all/artifacts/deep/er/tags",   "GET /teams/all/artifacts/deep%2Fer/tags",
        "GET /teams/all/artifacts/deep/er/tags/1", "GET /teams/all/artifacts/deep%2Fer/tags/1",
        "HEAD /teams/all/artifacts/deep/er/tags",  "GET /v1/repositories/all/deep/er/tags",
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_int_equal(guarded_world_ask(*state, lines[i], WHO)->status, 200);
    }
}

/* Paths match from the right, so that a tag may be called as a part of them. */
static void tags_may_have_any_name(void **state)
{
    static const char *const names[] = {"tags",    "artifacts",        "scm-source",
                                        "recheck", "production-ready", "history"};
    struct guarded_world *world = *state;
    char manifest[TEST_MANIFEST_BYTES];

    api_world_serve(&world->world, &(struct api_config){0});
    api_world_make_image(&world->world, "listed", manifest);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char line[128];

        (void)snprintf(line, sizeof(line), "all/odd/manifests/%s", names[i]);
        api_world_push(&world->world, line, TEST_IMAGE_TYPE, manifest, &world->reply);
        assert_int_equal(world->reply.status, 201);
        (void)snprintf(line, sizeof(line), "GET /teams/all/artifacts/odd/tags/%s", names[i]);
        assert_int_equal(guarded_world_ask(world, line, NULL)->status, 200);
        (void)snprintf(line, sizeof(line), "{\"name\":\"%s\"", names[i]);
        assert_true(reply_says(&world->reply, line));
    }
    assert_int_equal(guarded_world_ask(world, "GET /teams/all/artifacts/odd/tags", NULL)->status,
                     200);
    assert_int_equal(guarded_world_ask(world, "GET /teams/all/artifacts", NULL)->status, 200);
}

static void old_clients_see_image_ids(void **state)
{
    const struct reply *reply = guarded_world_ask(*state, "GET /v1/repositories/all/app/tags", WHO);

    assert_true(str_starts_with(strbuf_str(&reply->body), "{\"latest\":\"sha256:"));
    assert_true(reply_says(reply, ",\"2.0\":\"sha256:"));
    assert_true(reply_says(reply, ",\"1.0\":\"sha256:"));
    reply = guarded_world_ask(*state, "GET /v1/repositories/all/app/tags?limit=1", WHO);
    assert_true(str_starts_with(reply_field(reply, "Link"), "</v1/repositories/all/app/tags?"));
    reply = guarded_world_ask(*state, "GET /v1/repositories/all/app/tags?cursor=1-1", WHO);
    assert_false(reply_says(reply, "latest"));
}

static void what_goes_wrong_is_a_problem_with_a_message(void **state)
{
    static const struct {
        const char *line;
        const char *authorization;
        int status;
    } rows[] = {
        {"GET /teams", NULL, 401},
        {"GET /teams/all/artifacts/app/tags", NULL, 401},
        {"GET /teams/all/artifacts/app/tags", "Bearer wrong", 401},
        {"GET /teams/all/artifacts/app/tags", "Bearer down", 503},
        {"GET /teams/all/artifacts/none/tags", WHO, 404},
        {"GET /teams/all/artifacts/app/tags/3.0", WHO, 404},
        {"GET /teams/all/tags", WHO, 404},
        {"GET /teams/all/other/app/tags", WHO, 404},
        {"GET /teams/all/artifacts/APP/tags", WHO, 400},
        {"GET /teams/all/artifacts/a%zz/tags", WHO, 400},
        {"GET /teams?limit=0", WHO, 400},
        {"GET /teams?limit=many", WHO, 400},
        {"GET /teams?limit=%zz", WHO, 400},
        {"GET /teams?limit=1&limit=1", WHO, 400},
        {"GET /teams?cursor=%FF", WHO, 400},
        {"GET /tags/abc?cursor=%FF", WHO, 400},
        {"GET /teams?cursor=%00", WHO, 400},
        {"GET /teams?cursor=" LONG LONG LONG LONG, WHO, 400},
        {"GET /teams/all/artifacts?cursor=%", WHO, 400},
        {"GET /stats/teams?cursor=%", WHO, 400},
        {"GET /v1/repositories/all/app/tags?cursor=%", WHO, 400},
        {"GET /teams/all/artifacts/app/tags?cursor=%", WHO, 400},
        {"GET /teams/all/artifacts/app/tags?newest=%", WHO, 400},
        {"GET /teams/all/artifacts/app/tags?cursor=x", WHO, 400},
        {"GET /teams/all/artifacts/app/tags?newest=0", WHO, 400},
        {"GET /teams/all/artifacts/app/tags?newest=x", WHO, 400},
        {"GET /teams/all/artifacts/app/tags?newest=1&cursor=1-1", WHO, 400},
        {"GET /v1/repositories/all/none/tags", WHO, 404},
        {"GET /nowhere", WHO, 404},
        {"GET /teams/all/artifacts/app", NULL, 404},
        {"POST /teams", WHO, 405},
        {"DELETE /health", WHO, 405},
    };
    struct guarded_world *world = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct reply *reply = guarded_world_ask(world, rows[i].line, rows[i].authorization);

        if (reply->status != rows[i].status) {
            fail_msg("row %zu: %d %s", i, reply->status, reply->body.text);
        }
        assert_true(reply_has(reply, "Content-Type: application/problem+json"));
        assert_true(reply_says(reply, "\"message\":\""));
        assert_true(reply_says(reply, "\"title\":\""));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, guarded_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lists_are_answered),
        TEST(pages_follow_each_other),
        TEST(the_newest_tags_are_told_alone),
        TEST(a_tag_has_the_originals_fields_and_more),
        TEST(artifacts_match_from_the_right),
        TEST(tags_may_have_any_name),
        TEST(old_clients_see_image_ids),
        TEST(what_goes_wrong_is_a_problem_with_a_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
