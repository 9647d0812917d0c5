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
        tell(world, &(struct api_login){.version = "1", .client_id = "x", .scopes = "a"}),
        "{\"registry\":\"registry.example.org:444\",\"version\":\"1\",\"methods\":[],"
        "\"issuer\":null,\"client_id\":null,\"scopes\":[],\"redirect_port\":0}");
    assert_string_equal(
        tell(world, &(struct api_login){.version = "1",
                                        .issuer = "https://login.example.org",
                                        .client_id = "pierone",
                                        .scopes = " openid  uid",
                                        .redirect_port = 17999,
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

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, stocked_world_set_up, guarded_world_tear_down)

int main(void)
{
    const struct CMUnitTest about_handlers[] = {
        TEST(clients_are_told_how_to_log_in),
        TEST(who_asks_is_told),
        TEST(the_description_needs_no_login),
    };

    return cmocka_run_group_tests(about_handlers, NULL, NULL);
}
