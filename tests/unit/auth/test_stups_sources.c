#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "auth/sources.h"
#include "remote_world.h"

static int tokeninfo_set_up(void **state)
{
    static struct remote_world world;

    remote_world_init(&world);
    world.source = tokeninfo_source_new(&(struct tokeninfo_config){
        "http://info/tokeninfo", remote_world_claims, world.client, &world.clock.clock});
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

static void a_token_is_asked_about_and_read(void **state)
{
    struct remote_world *world = *state;
    const struct fake_http_request *request = fake_http_client_request(world->client);

    assert_int_equal(ask(world, 200,
                         "{\"access_token\":\"x\",\"uid\":\"jdoe\",\"realm\":\"/employees\","
                         "\"scope\":[\"uid\"],\"expires_in\":3515,\"token_type\":\"Bearer\"}"),
                     OK);
    assert_string_equal(request->url, "http://info/tokeninfo?access_token=a%2Bb%2Fc%26d");
    assert_true(str_is(world->identity->name, "jdoe"));
    assert_int_equal(world->identity->kind, IDENTITY_EMPLOYEE);
    assert_true(identity_has_scope(world->identity, "uid"));
    assert_int_equal(world->identity->expires_ms, clock_wall_ms(&world->clock.clock) + 3515 * 1000);
}

static void an_answer_without_an_end_does_not_end_by_itself(void **state)
{
    struct remote_world *world = *state;

    assert_int_equal(ask(world, 200, "{\"uid\":\"jdoe\"}"), OK);
    assert_true(world->identity->expires_ms == INT64_MAX);
    assert_int_equal(ask(world, 200, "{\"uid\":\"jdoe\",\"expires_in\":null}"), OK);
    assert_true(world->identity->expires_ms == INT64_MAX);
}

static void a_lifetime_is_read_in_each_form(void **state)
{
    static const struct {
        const char *body;
        int64_t lifetime_ms;
    } answers[] = {
        {"{\"uid\":\"jdoe\",\"expires_in\":\"3600\"}", 3600000},
        {"{\"uid\":\"jdoe\",\"expires_in\":3599.5}", 3599500},
        {"{\"uid\":\"jdoe\",\"expires_in\":99999999999}", 99999999999000},
    };
    struct remote_world *world = *state;

    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        assert_int_equal(ask(world, 200, answers[i].body), OK);
        assert_true(world->identity->expires_ms ==
                    clock_wall_ms(&world->clock.clock) + answers[i].lifetime_ms);
    }
}

static void what_is_not_told_the_token_says_itself(void **state)
{
    struct remote_world *world = *state;

    /* {"exp":4000000000} and {"exp":1} */
    assert_int_equal(remote_world_ask(world, CREDENTIALS_TOKEN, "e30.eyJleHAiOjQwMDAwMDAwMDB9.s",
                                      200, "{\"uid\":\"jdoe\"}"),
                     OK);
    assert_true(world->identity->expires_ms == INT64_C(4000000000000));
    assert_int_equal(
        remote_world_ask(world, CREDENTIALS_TOKEN, "e30.eyJleHAiOjF9.s", 200, "{\"uid\":\"jdoe\"}"),
        ERROR_UNAUTHENTICATED);
}

static void tokeninfo_failures_are_told_apart(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum error_code code;
    } rows[] = {
        {400, "{\"error\":\"invalid_request\"}", ERROR_UNAUTHENTICATED},
        {401, "", ERROR_UNAUTHENTICATED},
        {404, "", ERROR_UNAUTHENTICATED},
        {500, "", ERROR_UNAVAILABLE},
        {503, "{\"uid\":\"jdoe\"}", ERROR_UNAVAILABLE},
        {302, "", ERROR_UNAVAILABLE},
        {201, "{\"uid\":\"jdoe\"}", ERROR_UNAVAILABLE},
        {0, "unreachable", ERROR_UNAVAILABLE},
        {200, "", ERROR_UNAVAILABLE},
        {200, "<html>", ERROR_UNAVAILABLE},
        {200, "[\"uid\"]", ERROR_UNAVAILABLE},
        {200, "{\"realm\":\"/employees\"}", ERROR_DENIED},
        {200, "{\"uid\":\"jdoe\",\"expires_in\":0}", ERROR_UNAUTHENTICATED},
        {200, "{\"uid\":\"jdoe\",\"expires_in\":-1}", ERROR_UNAUTHENTICATED},
        {200, "{\"uid\":\"jdoe\",\"expires_in\":\"soon\"}", ERROR_UNAUTHENTICATED},
        {200, "{\"uid\":\"jdoe\",\"expires_in\":\" 60\"}", ERROR_UNAUTHENTICATED},
        {200, "{\"uid\":\"jdoe\",\"expires_in\":253402300800}", ERROR_UNAUTHENTICATED},
    };
    struct remote_world *world = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(ask(world, rows[i].status, rows[i].body), rows[i].code);
        assert_null(strstr(world->err.message, "a+b"));
        assert_null(world->identity);
    }
}

static void only_tokens_are_of_interest(void **state)
{
    struct remote_world *world = *state;
    const enum source_interest expected[] = {
        [CREDENTIALS_NONE] = SOURCE_IGNORES,
        [CREDENTIALS_TOKEN] = SOURCE_MAY_KNOW,
        [CREDENTIALS_PASSWORD] = SOURCE_IGNORES,
        [CREDENTIALS_INSTANCE] = SOURCE_IGNORES,
    };

    for (int kind = CREDENTIALS_NONE; kind <= CREDENTIALS_INSTANCE; kind++) {
        const struct credentials credentials = {.kind = (enum credentials_kind)kind};

        assert_int_equal(world->source->driver->interest(world->source, &credentials),
                         expected[kind]);
    }
}

static void checking_makes_up_a_token(void **state)
{
    struct remote_world *world = *state;

    assert_int_equal(remote_world_check(world, 400, ""), OK);
    assert_non_null(strstr(world->err.message, "http://info/tokeninfo answers"));
    assert_int_equal(remote_world_check(world, 401, ""), OK);
    assert_int_equal(remote_world_check(world, 403, ""), OK);
    assert_int_equal(remote_world_check(world, 404, ""), ERROR_INVALID); /* nothing is there */
    assert_int_equal(remote_world_check(world, 405, ""), ERROR_INVALID);
    assert_int_equal(remote_world_check(world, 200, "{}"), ERROR_INVALID);
    assert_non_null(strstr(world->err.message, "status 200"));
    assert_int_equal(remote_world_check(world, 500, ""), ERROR_INVALID);
    assert_int_equal(remote_world_check(world, 0, "down"), ERROR_UNAVAILABLE);
}

static int instance_set_up(void **state)
{
    static struct remote_world world;

    remote_world_init(&world);
    world.source = instance_source_new(
        &(struct instance_config){"http://iidinfo/verify", world.client, &world.clock.clock});
    *state = &world;
    return 0;
}

static void a_document_is_shown_to_those_who_know(void **state)
{
    struct remote_world *world = *state;
    const struct fake_http_request *request = fake_http_client_request(world->client);
    char name[64];

    assert_int_equal(remote_world_ask(world, CREDENTIALS_INSTANCE, "PK\"CS7", 200, "{}"), OK);
    assert_string_equal(request->method, "POST");
    assert_string_equal(request->url, "http://iidinfo/verify");
    assert_string_equal(request->body, "{\"iid_signature\":\"PK\\\"CS7\"}");
    assert_int_equal(world->identity->kind, IDENTITY_INSTANCE);
    assert_true(str_starts_with(world->identity->name, "instance-"));
    assert_true(world->identity->expires_ms < INT64_MAX);
    (void)snprintf(name, sizeof(name), "%.*s", STR_FORMAT(world->identity->name));
    assert_int_equal(remote_world_ask(world, CREDENTIALS_INSTANCE, "other", 200, "{}"), OK);
    assert_false(str_is(world->identity->name, name));
}

static void instance_failures_are_told_apart(void **state)
{
    struct remote_world *world = *state;

    assert_int_equal(remote_world_ask(world, CREDENTIALS_INSTANCE, "x", 400, ""),
                     ERROR_UNAUTHENTICATED);
    assert_int_equal(remote_world_ask(world, CREDENTIALS_INSTANCE, "x", 404, ""),
                     ERROR_UNAUTHENTICATED);
    assert_int_equal(remote_world_ask(world, CREDENTIALS_INSTANCE, "x", 500, ""),
                     ERROR_UNAVAILABLE);
    assert_int_equal(remote_world_ask(world, CREDENTIALS_INSTANCE, "x", 302, ""),
                     ERROR_UNAVAILABLE);
    assert_int_equal(remote_world_ask(world, CREDENTIALS_INSTANCE, "x", 0, "down"),
                     ERROR_UNAVAILABLE);
}

static void only_documents_are_of_interest(void **state)
{
    struct remote_world *world = *state;
    struct credentials credentials = {.kind = CREDENTIALS_TOKEN};

    assert_int_equal(world->source->driver->interest(world->source, &credentials), SOURCE_IGNORES);
    credentials.kind = CREDENTIALS_INSTANCE;
    assert_int_equal(world->source->driver->interest(world->source, &credentials), SOURCE_MAY_KNOW);
}

static void checking_makes_up_a_document(void **state)
{
    struct remote_world *world = *state;

    assert_int_equal(remote_world_check(world, 400, ""), OK);
    assert_int_equal(remote_world_check(world, 200, ""), ERROR_INVALID);
    assert_int_equal(remote_world_check(world, 0, "down"), ERROR_UNAVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_token_is_asked_about_and_read, tokeninfo_set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_answer_without_an_end_does_not_end_by_itself,
                                        tokeninfo_set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lifetime_is_read_in_each_form, tokeninfo_set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_told_the_token_says_itself, tokeninfo_set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(tokeninfo_failures_are_told_apart, tokeninfo_set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(only_tokens_are_of_interest, tokeninfo_set_up, tear_down),
        cmocka_unit_test_setup_teardown(checking_makes_up_a_token, tokeninfo_set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_document_is_shown_to_those_who_know, instance_set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(instance_failures_are_told_apart, instance_set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(only_documents_are_of_interest, instance_set_up, tear_down),
        cmocka_unit_test_setup_teardown(checking_makes_up_a_document, instance_set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
