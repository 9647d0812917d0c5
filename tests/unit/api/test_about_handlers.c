#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "stocked_world.h"

/* Asks somebody who is configured that way, without a login. */
static const char *tell(struct guarded_world *world, const struct api_login *login)
{
    const struct api_config config = {
        .authenticator = world->authenticator,
        .teams = world->directory,
        .token_keys = world->keys,
        .public_url = "https://registry.example.org:444",
        .login = *login,
    };

    api_world_serve(&world->world, &config);
    assert_int_equal(guarded_world_ask(world, "GET /.well-known/pierone", NULL)->status, 200);
    return world->reply.body.text;
}

static void clients_are_told_how_to_log_in(void **state)
{
    struct guarded_world *world = *state;

    assert_string_equal(
        tell(world,
             &(struct api_login){.version = "1", .settings = {.client_id = "x", .scopes = "a"}}),
        "{\"registry\":\"registry.example.org:444\",\"version\":\"1\",\"methods\":[],"
        "\"issuer\":null,\"client_id\":null,\"scopes\":[],\"redirect_port\":0}");
    assert_string_equal(
        tell(world, &(struct api_login){.version = "1",
                                        .settings = {.issuer = "https://login.example.org",
                                                     .client_id = "pierone",
                                                     .scopes = " openid  uid",
                                                     .redirect_port = 17999},
                                        .takes_tokens = true,
                                        .takes_passwords = true}),
        "{\"registry\":\"registry.example.org:444\",\"version\":\"1\","
        "\"methods\":[\"oauth2\",\"password\"],\"issuer\":\"https://login.example.org\","
        "\"client_id\":\"pierone\",\"scopes\":[\"openid\",\"uid\"],\"redirect_port\":17999}");
}

static void who_asks_is_told(void **state)
{
    static const char *const rows[][2] = {
        {"Bearer employee:jdoe", "{\"name\":\"jdoe\",\"kind\":\"employee\"}"},
        {"Bearer service:robot:x", "{\"name\":\"robot\",\"kind\":\"service\"}"},
        {"Bearer unknown:it", "{\"name\":\"it\",\"kind\":\"unknown\"}"},
    };
    struct guarded_world *world = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(guarded_world_ask(world, "GET /whoami", rows[i][0])->status, 200);
        assert_string_equal(world->reply.body.text, rows[i][1]);
    }
    assert_int_equal(guarded_world_ask(world, "GET /whoami", NULL)->status, 401);
    assert_int_equal(guarded_world_ask(world, "GET /whoami", "Bearer wrong")->status, 401);
}

static void the_description_needs_no_login(void **state)
{
    struct guarded_world *world = *state;

    assert_int_equal(guarded_world_ask(world, "GET /openapi.json", NULL)->status, 200);
    assert_true(reply_says(&world->reply, "\"openapi\": \"3.1.0\""));
}

struct fixture {
    struct api_world world;
    struct reply reply;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    api_world_init(&fixture.world);
    reply_init(&fixture.reply);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    reply_release(&fixture->reply);
    api_world_release(&fixture->world);
    return 0;
}

static struct reply *ask(struct fixture *fixture, const char *line, const char *fields)
{
    api_world_ask(&fixture->world, &(struct question){.line = line, .fields = fields},
                  &fixture->reply);
    return &fixture->reply;
}

static void base_is_an_empty_object(void **state)
{
    static const char *const lines[] = {"GET /v2/", "GET /v2"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        assert_int_equal(ask(fixture, lines[i], NULL)->status, 200);
        assert_string_equal(fixture->reply.body.text, "{}");
        assert_true(reply_has(&fixture->reply, "Content-Type: application/json"));
    }
    assert_int_equal(ask(fixture, "HEAD /v2/", NULL)->status, 200);
}

static void process_that_answers_is_healthy(void **state)
{
    struct fixture *fixture = *state;

    fixture->world.is_ready = false;
    assert_int_equal(ask(fixture, "GET /health", NULL)->status, 200);
    assert_string_equal(fixture->reply.body.text, "{\"health\": true}");
    assert_int_equal(ask(fixture, "GET /.well-known/health", NULL)->status, 200);
}

static void server_that_drains_is_not_ready(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(ask(fixture, "GET /ready", NULL)->status, 200);
    fixture->world.is_ready = false;
    assert_int_equal(ask(fixture, "GET /ready", NULL)->status, 503);
    assert_true(reply_says(&fixture->reply, "\"message\":\"the server is shutting down\""));
    assert_true(reply_has(&fixture->reply, "Retry-After: 5"));
}

static void nothing_can_be_deleted(void **state)
{
    static const struct {
        const char *line;
        const char *allowed;
    } cases[] = {
        {"DELETE /v2/team/app/manifests/1.0", "Allow: GET, HEAD, PUT"},
        {"DELETE /v2/team/app/manifests/sha256:00", "Allow: GET, HEAD, PUT"},
        {"DELETE /v2/team/app/blobs/sha256:00", "Allow: GET, HEAD"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(reply_is_error(ask(fixture, cases[i].line, NULL), 405, "UNSUPPORTED"));
        assert_true(reply_has(&fixture->reply, cases[i].allowed));
        assert_true(reply_says(&fixture->reply, "immutable"));
    }
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, stocked_world_set_up, guarded_world_tear_down)

int main(void)
{
    const struct CMUnitTest about_handlers[] = {
        TEST(clients_are_told_how_to_log_in),
        TEST(who_asks_is_told),
        TEST(the_description_needs_no_login),
        cmocka_unit_test_setup_teardown(base_is_an_empty_object, set_up, tear_down),
        cmocka_unit_test_setup_teardown(process_that_answers_is_healthy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(server_that_drains_is_not_ready, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_can_be_deleted, set_up, tear_down),
    };

    return cmocka_run_group_tests(about_handlers, NULL, NULL);
}
