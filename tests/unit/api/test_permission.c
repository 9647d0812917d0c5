#include "api/permission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "guarded_world.h"

#define PULL "GET /v2/jdoe/app/manifests/1"
#define PUSH "POST /v2/jdoe/app/blobs/uploads/"
#define LIST "GET /v2/_catalog"

static void the_rule_is_applied_to_routes(void **state)
{
    static const struct {
        const char *line;
        const char *authorization;
        int status;
    } rows[] = {
        {PULL, "Bearer employee:other", 404},
        {PULL, "Bearer unknown:x", 404},
        {PULL, NULL, 401},
        {LIST, "Bearer employee:other", 200},
        {LIST, NULL, 401},
        {PUSH, "Bearer employee:jdoe", 202},
        {PUSH, "Bearer employee:other", 403},
        {PUSH, "Bearer unknown:jdoe", 403},
        {PUSH, "Bearer service:jdoe", 403},
        {PUSH, "Bearer service:jdoe:application.write", 202},
        {PUSH, "Bearer service:other:application.write", 403},
        {PUSH, "Bearer service:other:application.write_all", 202},
        {PUSH, NULL, 401},
        {"POST /v2/down/app/blobs/uploads/", "Bearer employee:jdoe", 503},
        {"POST /v2/down/app/blobs/uploads/", "Bearer service:x:application.write_all", 202},
        {"DELETE /v2/jdoe/app/manifests/1", "Bearer employee:other", 403},
        {"DELETE /v2/jdoe/app/manifests/1", "Bearer employee:jdoe", 405},
        {"POST /v2/JDOE/app/blobs/uploads/", "Bearer employee:jdoe", 403},
    };
    struct guarded_world *world = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct reply *reply = guarded_world_ask(world, rows[i].line, rows[i].authorization);

        if (reply->status != rows[i].status) {
            fail_msg("row %zu: %s: %d %s", i, rows[i].line, reply->status, reply->body.text);
        }
    }
}

#define EMPTY_BLOB "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* What is recalled is for those alone who may read it. */
static void the_rule_is_applied_to_what_is_recalled(void **state)
{
    static const char *const lines[] = {
        "GET /v2/jdoe/app/manifests/1",
        "HEAD /v2/jdoe/app/manifests/1",
        "GET /v2/jdoe/app/blobs/" EMPTY_BLOB,
        "HEAD /v2/jdoe/app/blobs/" EMPTY_BLOB,
    };
    struct guarded_world *world = *state;
    const struct question push = {
        .line = "PUT /v2/jdoe/app/manifests/1",
        .fields = "Authorization: Bearer employee:jdoe\r\nContent-Type: " TEST_INDEX_TYPE "\r\n",
        .body = STR_LITERAL("{\"schemaVersion\":2,\"manifests\":[]}"),
    };

    api_world_ask(&world->world, &push, &world->reply);
    assert_int_equal(world->reply.status, 201);
    (void)guarded_world_send(world, "POST /v2/jdoe/app/blobs/uploads/?digest=" EMPTY_BLOB,
                             "Bearer employee:jdoe", "");
    assert_int_equal(world->reply.status, 201);
    api_world_name_blob(&world->world, EMPTY_BLOB);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        (void)guarded_world_ask(world, lines[i], "Bearer employee:other");
        assert_int_equal(guarded_world_ask(world, lines[i], "Bearer employee:other")->status, 200);
        assert_false(world->reply.was_on[HTTP_WORKER]);
        assert_int_equal(guarded_world_ask(world, lines[i], NULL)->status, 401);
        assert_int_equal(guarded_world_ask(world, lines[i], "Bearer nonsense")->status, 401);
    }
}

static void a_refusal_names_who_team_and_condition(void **state)
{
    const struct reply *reply = guarded_world_ask(*state, PUSH, "Bearer employee:other");

    assert_true(reply_is_error(reply, 403, "DENIED"));
    assert_true(reply_says(reply, "employee other may not push to team jdoe: the team service does "
                                  "not list them"));
}

static void a_registry_token_opens_what_it_grants(void **state)
{
    struct guarded_world *world = *state;
    char pull[REGISTRY_TOKEN_FIELD_BYTES];
    char push[REGISTRY_TOKEN_FIELD_BYTES];
    char list[REGISTRY_TOKEN_FIELD_BYTES];

    guarded_world_token(world, "Bearer employee:jdoe", "repository:jdoe/app:pull", pull);
    guarded_world_token(world, "Bearer employee:jdoe", "repository:jdoe/app:pull,push", push);
    guarded_world_token(world, "Bearer employee:jdoe", "registry:catalog:*", list);
    assert_int_equal(guarded_world_ask(world, "GET /v2/", pull)->status, 200);
    assert_int_equal(guarded_world_ask(world, PULL, pull)->status, 404);
    assert_int_equal(guarded_world_ask(world, PUSH, push)->status, 202);
    assert_int_equal(guarded_world_ask(world, LIST, list)->status, 200);
    assert_int_equal(guarded_world_ask(world, LIST, push)->status, 401);
    assert_int_equal(guarded_world_ask(world, PULL, list)->status, 401);
    assert_int_equal(guarded_world_ask(world, PUSH, pull)->status, 401);
    assert_true(reply_has(&world->reply,
                          "WWW-Authenticate: Bearer "
                          "realm=\"http://registry.example/v2/token\",service=\"registry.example\","
                          "scope=\"repository:jdoe/app:pull,push\",error=\"insufficient_scope\""));
}

static void what_was_asked_for_and_refused_is_denied_with_the_reason(void **state)
{
    struct guarded_world *world = *state;
    char field[REGISTRY_TOKEN_FIELD_BYTES];

    guarded_world_token(world, "Bearer employee:other", "repository:jdoe/app:pull,push", field);
    assert_int_equal(guarded_world_ask(world, PULL, field)->status, 404);
    assert_true(reply_is_error(guarded_world_ask(world, PUSH, field), 403, "DENIED"));
    assert_true(reply_says(&world->reply, "other may not push to team jdoe"));
}

static void nobodys_token_reads_and_is_asked_to_log_in_for_more(void **state)
{
    struct guarded_world *world = *state;
    char field[REGISTRY_TOKEN_FIELD_BYTES];

    guarded_world_token(world, NULL, "repository:jdoe/app:pull,push", field);
    assert_int_equal(guarded_world_ask(world, "GET /v2/", field)->status, 200);
    assert_int_equal(guarded_world_ask(world, PULL, field)->status, 404);
    assert_int_equal(guarded_world_ask(world, PUSH, field)->status, 401);
    assert_true(reply_says(&world->reply, "log in first"));
    assert_true(reply_has(
        &world->reply, "WWW-Authenticate: Bearer "
                       "realm=\"http://registry.example/v2/token\",service=\"registry.example\","
                       "scope=\"repository:jdoe/app:pull,push\",error=\"insufficient_scope\","
                       "error_description=\"log in first: pulling is open to anybody and pushing "
                       "is not\""));
    guarded_world_token(world, NULL, "repository:jdoe/app:pull", field);
    assert_int_equal(guarded_world_ask(world, PUSH, field)->status, 401);
    assert_true(reply_says(&world->reply, "log in first"));
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, guarded_world_set_up, guarded_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_rule_is_applied_to_routes),
        TEST(the_rule_is_applied_to_what_is_recalled),
        TEST(a_refusal_names_who_team_and_condition),
        TEST(a_registry_token_opens_what_it_grants),
        TEST(what_was_asked_for_and_refused_is_denied_with_the_reason),
        cmocka_unit_test_setup_teardown(nobodys_token_reads_and_is_asked_to_log_in_for_more,
                                        guarded_world_set_up_public, guarded_world_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
