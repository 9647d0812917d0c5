#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "auth/registry_token.h"
#include "base/json_value.h"
#include "guarded_world.h"

#define ASK "GET /v2/token"
#define FORM "POST /v2/token"

/* The identity of the token in the reply, limited to what it grants. */
static struct identity *token_of(struct guarded_world *world)
{
    const struct token_reading reading = {world->keys, clock_wall_ms(&world->world.clock.clock),
                                          TOKEN_MUST_BE_VALID};
    struct identity *identity = NULL;
    struct json_value *json = NULL;
    uint64_t expires_in = 0;

    assert_int_equal(world->reply.status, 200);
    assert_int_equal(json_value_parse(strbuf_str(&world->reply.body), &json, NULL), OK);
    assert_true(str_equal(json_value_member_string(json, "token"),
                          json_value_member_string(json, "access_token")));
    assert_true(json_value_uint64(json_value_member(json, "expires_in"), &expires_in));
    assert_true(expires_in >= 60);
    assert_int_equal(
        registry_token_read(&reading, json_value_member_string(json, "token"), &identity, NULL),
        OK);
    json_value_free(json);
    return identity;
}

static void just_what_may_be_is_granted(void **state)
{
    static const struct {
        const char *query;
        const char *grants;
        const char *refusals; /* of the first words */
    } rows[] = {
        {"", "", ""},
        {"?scope=repository:jdoe/app:pull,push", "repository:jdoe/app:pull,push\n", ""},
        {"?scope=repository:other/app:pull,push", "repository:other/app:pull\n",
         "repository:other/app:push employee jdoe may not push"},
        {"?scope=repository:a/b:pull&scope=repository:jdoe/x:push",
         "repository:a/b:pull\nrepository:jdoe/x:push\n", ""},
        {"?scope=repository:a/b:pull%20registry:catalog:*",
         "repository:a/b:pull\nregistry:catalog:*\n", ""},
        {"?scope=repository(plugin):jdoe/app:pull,push", "repository:jdoe/app:pull,push\n", ""},
        {"?scope=repository:jdoe/app:delete", "", "repository:jdoe/app:delete only pull and push"},
        {"?scope=repository:jdoe/app:*", "", "repository:jdoe/app:* only pull and push"},
        {"?scope=registry:catalog:push", "", "registry:catalog:push there is no such"},
        {"?scope=nonsense:x:y", "", "nonsense:x:y there is no such"},
        {"?scope=repository:JDOE/app:push", "", "repository:JDOE/app:push 'JDOE/app' is no"},
        {"?service=x&account=y&client_id=z&offline_token=true", "", ""},
    };
    struct guarded_world *world = *state;
    char line[256];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct identity *identity = NULL;

        (void)snprintf(line, sizeof(line), ASK "%s", rows[i].query);
        (void)guarded_world_ask(world, line, "Bearer employee:jdoe");
        identity = token_of(world);
        assert_true(str_is(identity->name, "jdoe"));
        assert_int_equal(identity->kind, IDENTITY_EMPLOYEE);
        assert_true(str_is(identity->grants, rows[i].grants));
        if (!str_starts_with(identity->refusals, rows[i].refusals)) {
            fail_msg("row %zu: %.*s", i, STR_FORMAT(identity->refusals));
        }
        assert_int_equal(identity->refusals.length > 0, rows[i].refusals[0] != '\0');
        identity_release(identity);
    }
}

/* distribution "OAuth2 Token Authentication": scope is required in the answer to the form. */
static void the_answer_tells_what_is_granted(void **state)
{
    static const struct {
        const char *asked;
        const char *told;
    } rows[] = {
        {"", "\"scope\":\"\""},
        {"repository:jdoe/app:pull,push", "\"scope\":\"repository:jdoe/app:pull,push\""},
        {"repository:other/app:pull,push", "\"scope\":\"repository:other/app:pull\""},
        {"repository:a/b:pull+registry:catalog:*",
         "\"scope\":\"repository:a/b:pull registry:catalog:*\""},
    };
    struct guarded_world *world = *state;
    char form[256];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void)snprintf(form, sizeof(form),
                       "grant_type=refresh_token&refresh_token=employee:jdoe&scope=%s",
                       rows[i].asked);
        assert_int_equal(guarded_world_send(world, FORM, NULL, form)->status, 200);
        assert_true(reply_says(&world->reply, rows[i].told));
    }
}

static void what_cannot_be_answered_is_told(void **state)
{
    static const struct {
        const char *line;
        const char *authorization;
        const char *body;
        int status;
    } rows[] = {
        {ASK, NULL, NULL, 401},
        {ASK, "Bearer wrong", NULL, 401},
        {ASK, "Bearer lapsed:jdoe", NULL, 401},
        {ASK, "Bearer down", NULL, 503},
        {ASK "?scope=repository:down/app:push", "Bearer employee:jdoe", NULL, 503},
        {ASK "?scope=repository:down/app:pull", "Bearer employee:jdoe", NULL, 200},
        {ASK "?scope=nonsense", "Bearer employee:jdoe", NULL, 400},
        {ASK "?scope=%zz", "Bearer employee:jdoe", NULL, 400},
        {FORM, NULL, "", 401},
        {FORM, NULL, "grant_type=password&username=alice&password=right", 200},
        {FORM, NULL, "grant_type=password&username=alice&password=wrong", 401},
        {FORM, NULL, "grant_type=password&username=alice", 400},
        {FORM, NULL, "grant_type=password&username=oauth2&password=employee:jdoe", 200},
        {FORM, NULL, "grant_type=refresh_token&refresh_token=employee:jdoe", 200},
        {FORM, NULL, "grant_type=refresh_token&refresh_token=wrong", 401},
        {FORM, NULL, "grant_type=authorization_code&code=x", 400},
        {FORM, "Bearer employee:jdoe", "scope=repository:jdoe/app:push", 200},
        {"PUT /v2/token", "Bearer employee:jdoe", NULL, 405},
    };
    struct guarded_world *world = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct reply *reply =
            guarded_world_send(world, rows[i].line, rows[i].authorization, rows[i].body);

        if (reply->status != rows[i].status) {
            fail_msg("row %zu: %d %s", i, reply->status, reply->body.text);
        }
    }
}

/* A provider that hangs holds up nobody who is known. */
static void what_is_known_is_answered_without_waiting(void **state)
{
    struct guarded_world *world = *state;
    static const char line[] = ASK "?scope=repository:jdoe/app:pull,push";

    assert_true(guarded_world_ask(world, line, "Bearer employee:jdoe")->was_on[HTTP_WAITER]);
    assert_int_equal(world->reply.status, 200);
    assert_false(guarded_world_ask(world, line, "Bearer employee:jdoe")->was_on[HTTP_WAITER]);
    assert_int_equal(world->reply.status, 200);
    assert_true(
        guarded_world_ask(world, ASK "?scope=repository:new/app:push", "Bearer employee:jdoe")
            ->was_on[HTTP_WAITER]);
    assert_int_equal(world->reply.status, 200);
}

static void a_form_is_as_long_as_a_token_needs(void **state)
{
    static char form[256 * 1024];

    memset(form, 'x', sizeof(form) - 1);
    assert_true(reply_is_error(guarded_world_send(*state, FORM, "Bearer wrong", form), 413,
                               "SIZE_INVALID"));
}

/* Or a token would be good for ever. */
static void a_registry_token_is_no_login(void **state)
{
    struct guarded_world *world = *state;
    char field[REGISTRY_TOKEN_FIELD_BYTES];

    guarded_world_token(world, "Bearer employee:jdoe", "repository:jdoe/app:push", field);
    assert_true(reply_is_error(guarded_world_ask(world, ASK, field), 401, "UNAUTHORIZED"));
}

static void nobody_gets_a_token_where_reading_is_public(void **state)
{
    struct guarded_world *world = *state;
    struct identity *identity = NULL;

    (void)guarded_world_ask(world, ASK "?scope=repository:a/b:pull,push", NULL);
    identity = token_of(world);
    assert_int_equal(identity->kind, IDENTITY_ANONYMOUS);
    assert_true(str_is(identity->grants, "repository:a/b:pull\n"));
    identity_release(identity);
    assert_int_equal(guarded_world_ask(world, ASK, "Bearer wrong")->status, 401);
}

static void a_token_ends_with_its_time(void **state)
{
    struct guarded_world *world = *state;
    char field[REGISTRY_TOKEN_FIELD_BYTES];

    guarded_world_token(world, "Bearer employee:jdoe", "repository:jdoe/app:pull", field);
    fake_clock_advance(&world->world.clock, 299 * 1000);
    assert_int_equal(guarded_world_ask(world, "GET /v2/", field)->status, 200);
    fake_clock_advance(&world->world.clock, 1000);
    assert_int_equal(guarded_world_ask(world, "GET /v2/", field)->status, 401);
}

static void without_a_provider_there_are_no_tokens(void **state)
{
    struct guarded_world *world = *state;

    api_world_serve(&world->world, &(struct api_config){0});
    assert_int_equal(guarded_world_ask(world, ASK, NULL)->status, 404);
    assert_int_equal(
        guarded_world_send(world, FORM, NULL, "grant_type=password&username=a&password=b")->status,
        404);
}

static void whoever_ends_an_upload_gets_a_token_for_that_alone(void **state)
{
    struct guarded_world *world = *state;
    char location[256];
    char field[REGISTRY_TOKEN_FIELD_BYTES];
    char line[300];

    assert_int_equal(
        guarded_world_ask(world, "POST /v2/jdoe/app/blobs/uploads/", "Bearer employee:jdoe")
            ->status,
        202);
    (void)snprintf(location, sizeof(location), "%.*s",
                   STR_FORMAT(reply_field(&world->reply, "Location")));
    assert_int_equal(
        guarded_world_ask(world, ASK "?scope=repository:jdoe/other:pull,push", "Bearer lapsed:jdoe")
            ->status,
        401);
    assert_int_equal(
        guarded_world_ask(world, ASK "?scope=repository:jdoe/app:pull,push", "Bearer lapsed:other")
            ->status,
        401);
    guarded_world_token(world, "Bearer lapsed:jdoe", "repository:jdoe/app:pull,push", field);
    (void)snprintf(line, sizeof(line), "PATCH %s", location);
    assert_int_equal(guarded_world_send(world, line, field, "bytes")->status, 202);
    assert_int_equal(guarded_world_ask(world, "GET /v2/jdoe/app/manifests/1", field)->status, 403);
    assert_int_equal(guarded_world_ask(world, "POST /v2/jdoe/app/blobs/uploads/", field)->status,
                     403);
    assert_true(reply_says(&world->reply, "log in again"));
    (void)snprintf(line, sizeof(line), "DELETE %s", location);
    assert_int_equal(guarded_world_ask(world, line, field)->status, 204);
    assert_int_equal(
        guarded_world_ask(world, ASK "?scope=repository:jdoe/app:pull,push", "Bearer lapsed:jdoe")
            ->status,
        401);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, guarded_world_set_up, guarded_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(just_what_may_be_is_granted),
        TEST(the_answer_tells_what_is_granted),
        TEST(what_cannot_be_answered_is_told),
        TEST(what_is_known_is_answered_without_waiting),
        TEST(a_form_is_as_long_as_a_token_needs),
        TEST(a_registry_token_is_no_login),
        cmocka_unit_test_setup_teardown(nobody_gets_a_token_where_reading_is_public,
                                        guarded_world_set_up_public, guarded_world_tear_down),
        TEST(a_token_ends_with_its_time),
        TEST(without_a_provider_there_are_no_tokens),
        TEST(whoever_ends_an_upload_gets_a_token_for_that_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
