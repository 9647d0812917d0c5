#include "auth/sources.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "remote_world.h"

static void begin(struct remote_world *world, const char *token_url, const char *audience)
{
    remote_world_init(world);
    world->source = introspection_source_new(&(struct introspection_config){
        .url = "http://issuer/introspect",
        .client_id = "pierone",
        .client_secret = "client secret",
        .token_url = token_url,
        .token_scope = "introspect",
        .audience = audience,
        .claims = remote_world_claims,
        .client = world->client,
        .clock = &world->clock.clock,
    });
}

static int set_up(void **state)
{
    static struct remote_world world;

    begin(&world, NULL, NULL);
    *state = &world;
    return 0;
}

static int set_up_with_token(void **state)
{
    static struct remote_world world;

    begin(&world, "http://issuer/token", NULL);
    *state = &world;
    return 0;
}

static int set_up_with_audience(void **state)
{
    static struct remote_world world;

    begin(&world, NULL, "pierone");
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    remote_world_release(*state);
    return 0;
}

static enum error_code ask(struct remote_world *world, int status, const char *body)
{
    return remote_world_ask(world, CREDENTIALS_TOKEN, "a+b/c&d", status, body);
}

static void a_token_is_introspected(void **state)
{
    struct remote_world *world = *state;
    const struct fake_http_request *request = fake_http_client_request(world->client);

    assert_int_equal(ask(world, 200,
                         "{\"active\":true,\"sub\":\"robot\",\"client_id\":\"robot\","
                         "\"scope\":\"uid application.write\",\"exp\":4000000000}"),
                     OK);
    assert_string_equal(request->method, "POST");
    assert_string_equal(request->url, "http://issuer/introspect");
    assert_string_equal(request->body, "token=a%2Bb%2Fc%26d");
    assert_string_equal(request->content_type, "application/x-www-form-urlencoded");
    assert_true(request->has_others); /* Basic */
    assert_true(str_is(world->identity->name, "robot"));
    assert_int_equal(world->identity->kind, IDENTITY_SERVICE);
    assert_true(identity_has_scope(world->identity, "application.write"));
    assert_true(world->identity->expires_ms == INT64_C(4000000000000));
}

static void the_end_is_read_in_each_form_or_the_token_says_it(void **state)
{
    static const struct {
        const char *token;
        const char *exp;
        int64_t expires_ms;
    } rows[] = {
        {"t", "\"4000000000\"", INT64_C(4000000000000)},
        {"t", "4000000000.5", INT64_C(4000000000500)},
        {"t", "null", INT64_MAX},
        {"e30.eyJleHAiOjQwMDAwMDAwMDB9.s", "null", INT64_C(4000000000000)},
        {"e30.eyJleHAiOjQwMDAwMDAwMDB9.s", "4000000001", INT64_C(4000000001000)},
    };
    struct remote_world *world = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char body[128];

        (void)snprintf(body, sizeof(body), "{\"active\":true,\"sub\":\"a\",\"exp\":%s}",
                       rows[i].exp);
        assert_int_equal(remote_world_ask(world, CREDENTIALS_TOKEN, rows[i].token, 200, body), OK);
        assert_true(world->identity->expires_ms == rows[i].expires_ms);
    }
}

static void failures_are_told_apart(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum error_code code;
    } rows[] = {
        {200, "{\"active\":false}", ERROR_UNAUTHENTICATED},
        {200, "{\"active\":\"true\",\"sub\":\"a\"}", ERROR_UNAUTHENTICATED},
        {200, "{\"active\":1,\"sub\":\"a\"}", ERROR_UNAUTHENTICATED},
        {200, "{\"active\":true,\"sub\":\"a\",\"exp\":1}", ERROR_UNAUTHENTICATED},
        {200, "{\"active\":true,\"sub\":\"a\",\"exp\":1.5}", ERROR_UNAUTHENTICATED},
        {200, "{\"active\":true,\"sub\":\"a\",\"exp\":\"never\"}", ERROR_UNAUTHENTICATED},
        {200, "{\"active\":true}", ERROR_DENIED},
        {200, "{\"sub\":\"a\"}", ERROR_UNAVAILABLE},
        {200, "active", ERROR_UNAVAILABLE},
        {401, "", ERROR_UNAVAILABLE},
        {403, "", ERROR_UNAVAILABLE},
        {404, "", ERROR_UNAVAILABLE},
        {500, "", ERROR_UNAVAILABLE},
        {0, "unreachable", ERROR_UNAVAILABLE},
    };
    struct remote_world *world = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(ask(world, rows[i].status, rows[i].body), rows[i].code);
        assert_null(strstr(world->err.message, "a+b"));
        assert_null(strstr(world->err.message, "client secret"));
    }
    assert_int_equal(ask(world, 401, ""), ERROR_UNAVAILABLE);
    assert_non_null(strstr(world->err.message, "auth.introspection.client_id"));
}

static void the_audience_has_to_hold_ours(void **state)
{
    struct remote_world *world = *state;

    assert_int_equal(ask(world, 200, "{\"active\":true,\"sub\":\"a\",\"aud\":\"pierone\"}"), OK);
    assert_int_equal(ask(world, 200, "{\"active\":true,\"sub\":\"a\",\"aud\":[\"x\",\"pierone\"]}"),
                     OK);
    assert_int_equal(ask(world, 200, "{\"active\":true,\"sub\":\"a\",\"aud\":[\"x\"]}"),
                     ERROR_UNAUTHENTICATED);
    assert_int_equal(ask(world, 200, "{\"active\":true,\"sub\":\"a\"}"), ERROR_UNAUTHENTICATED);
}

/* One answer is a good one to both questions: that for a token, and that about one. */
static void a_token_of_our_own_is_kept_until_shortly_before_its_end(void **state)
{
    static const char both[] = "{\"access_token\":\"ours\",\"expires_in\":100,\"active\":true,"
                               "\"sub\":\"a\"}";
    struct remote_world *world = *state;
    const struct fake_http_request *request = fake_http_client_request(world->client);

    assert_int_equal(ask(world, 200, both), OK);
    assert_int_equal(request->count, 2);
    assert_true(request->has_bearer);
    assert_string_equal(request->bearer, "ours");
    assert_string_equal(request->url, "http://issuer/introspect");
    fake_clock_advance(&world->clock, 69 * 1000);
    assert_int_equal(ask(world, 200, both), OK);
    assert_int_equal(request->count, 3);
    fake_clock_advance(&world->clock, 1 * 1000);
    assert_int_equal(ask(world, 200, both), OK);
    assert_int_equal(request->count, 5);
}

static void a_token_of_our_own_that_is_refused_is_renewed_once(void **state)
{
    static const char both[] = "{\"access_token\":\"ours\",\"active\":true,\"sub\":\"a\"}";
    struct remote_world *world = *state;
    const struct fake_http_request *request = fake_http_client_request(world->client);

    assert_int_equal(ask(world, 200, both), OK);
    assert_int_equal(request->count, 2);
    assert_int_equal(ask(world, 401, both), ERROR_UNAVAILABLE);
    assert_int_equal(request->count, 4); /* refused, and then there was no new one */
    assert_non_null(strstr(world->err.message, "gives the client pierone no token"));
}

static void checking_tries_a_made_up_token(void **state)
{
    struct remote_world *world = *state;

    assert_int_equal(remote_world_check(world, 200, "{\"active\":false}"), OK);
    assert_non_null(strstr(world->err.message, "answers client pierone"));
    assert_int_equal(remote_world_check(world, 200, "{\"active\":true}"), ERROR_INVALID);
    assert_int_equal(remote_world_check(world, 200, "{}"), ERROR_INVALID);
    assert_int_equal(remote_world_check(world, 401, ""), ERROR_UNAVAILABLE);
    assert_non_null(strstr(world->err.message, "client_secret"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_token_is_introspected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_end_is_read_in_each_form_or_the_token_says_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(failures_are_told_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_audience_has_to_hold_ours, set_up_with_audience,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_token_of_our_own_is_kept_until_shortly_before_its_end,
                                        set_up_with_token, tear_down),
        cmocka_unit_test_setup_teardown(a_token_of_our_own_that_is_refused_is_renewed_once,
                                        set_up_with_token, tear_down),
        cmocka_unit_test_setup_teardown(checking_tries_a_made_up_token, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
