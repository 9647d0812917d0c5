#include "api/login.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/call.h"
#include "guarded_world.h"

static int count_of(const char *text, const char *part)
{
    int count = 0;

    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}

static void the_base_tells_who_has_logged_in(void **state)
{
    static const struct {
        const char *authorization;
        int status;
        bool waits;
        bool hashes;
    } rows[] = {
        {NULL, 401, false, false},
        {"Bearer employee:jdoe", 200, true, false},
        {"Bearer employee:jdoe", 200, false, false},               /* known by now */
        {"Basic b2F1dGgyOmVtcGxveWVlOmpkb2U=", 200, false, false}, /* oauth2:employee:jdoe */
        {"Bearer unknown:somebody", 200, true, false},
        {"Bearer wrong", 401, true, false},
        {"Bearer wrong", 401, false, false},
        {"Bearer lapsed:jdoe", 401, true, false},
        {"Bearer down", 503, true, false},
        {"Basic YWxpY2U6cmlnaHQ=", 200, false, true}, /* alice:right */
        {"Basic YWxpY2U6d3Jvbmc=", 401, false, true}, /* alice:wrong */
        {"Basic nonsense", 401, false, false},
        {"Negotiate abc", 401, false, false},
        {"", 401, false, false},
    };
    struct guarded_world *world = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct reply *reply = guarded_world_ask(world, "GET /v2/", rows[i].authorization);
        const int challenges = count_of(reply->headers.text, "WWW-Authenticate:");

        assert_int_equal(reply->status, rows[i].status);
        assert_int_equal(reply->was_on[HTTP_WAITER], rows[i].waits);
        assert_int_equal(reply->was_on[HTTP_HASHER], rows[i].hashes);
        assert_int_equal(challenges, rows[i].status == 401 ? 1 : 0);
        assert_int_equal(reply_field(reply, "Retry-After").length > 0, rows[i].status == 503);
    }
}

static void two_fields_are_one_too_many(void **state)
{
    struct guarded_world *world = *state;

    api_world_ask(&world->world,
                  &(struct question){.line = "GET /v2/",
                                     .fields = "Authorization: Bearer employee:jdoe\r\n"
                                               "Authorization: Bearer employee:other\r\n"},
                  &world->reply);
    assert_true(reply_is_error(&world->reply, 401, "UNAUTHORIZED"));
}

static void health_is_for_everybody(void **state)
{
    struct guarded_world *world = *state;

    assert_int_equal(guarded_world_ask(world, "GET /health", NULL)->status, 200);
    assert_int_equal(guarded_world_ask(world, "GET /health", "Bearer wrong")->status, 200);
}

static void wrong_passwords_have_to_wait(void **state)
{
    struct guarded_world *world = *state;
    const struct reply *reply = NULL;

    for (int i = 0; i < 10; i++) {
        reply = guarded_world_ask(world, "GET /v2/", "Basic YWxpY2U6d3Jvbmc=");
        assert_int_equal(reply->status, 401);
    }
    reply = guarded_world_ask(world, "GET /v2/", "Basic YWxpY2U6cmlnaHQ=");
    assert_true(reply_is_error(reply, 429, "TOOMANYREQUESTS"));
    assert_true(reply_has(reply, "Retry-After: 61"));
}

/* More than any queue takes. */
static void crowd(struct guarded_world *world, enum login_rank rank, unsigned count)
{
    atomic_store(&world->world.api->hashing[rank], count);
}

static void passwords_queue_only_so_long(void **state)
{
    enum { MANY = 1000 };
    struct guarded_world *world = *state;
    const struct reply *reply = NULL;

    crowd(world, LOGIN_NEW, MANY);
    reply = guarded_world_ask(world, "GET /v2/", "Basic YWxpY2U6cmlnaHQ=");
    assert_true(reply_is_error(reply, 503, "UNAVAILABLE"));
    assert_true(reply_has(reply, "Retry-After: 5"));
    assert_false(reply->was_on[HTTP_HASHER]);
    assert_int_equal(guarded_world_ask(world, "GET /v2/", "Bearer employee:jdoe")->status, 200);
    assert_int_equal(atomic_load(&world->world.api->hashing[LOGIN_NEW]), MANY);
    crowd(world, LOGIN_NEW, 0);
    reply = guarded_world_ask(world, "GET /v2/", "Basic YWxpY2U6cmlnaHQ=");
    assert_int_equal(reply->status, 200);
    assert_int_equal(atomic_load(&world->world.api->hashing[LOGIN_NEW]), 0);
    crowd(world, LOGIN_NEW, MANY);
    fake_clock_advance(&world->world.clock,
                       60 * 1000); /* the answer is forgotten, the pair is not */
    reply = guarded_world_ask(world, "GET /v2/", "Basic YWxpY2U6cmlnaHQ=");
    assert_int_equal(reply->status, 200);
    assert_true(reply->was_on[HTTP_HASHER]);
    assert_int_equal(atomic_load(&world->world.api->hashing[LOGIN_TRUSTED]), 0);
}

static void the_log_knows_the_user_and_no_secret(void **state)
{
    struct guarded_world *world = *state;
    struct strbuf log;

    strbuf_init(&log, 1024 * 1024);
    (void)guarded_world_ask(world, "GET /v2/", "Bearer service:robot:secret-scope");
    (void)guarded_world_ask(world, "GET /v2/", "Basic YWxpY2U6cmlnaHQ=");
    (void)guarded_world_ask(world, "GET /v2/", "Bearer wrong-secret");
    api_world_read_log(&world->world, &log);
    assert_non_null(strstr(log.text, "\"user\":\"robot\""));
    assert_non_null(strstr(log.text, "\"user\":\"alice\""));
    assert_null(strstr(log.text, "secret"));
    assert_null(strstr(log.text, "right"));
    strbuf_release(&log);
}

static void nobody_in_particular_reads_where_reading_is_public(void **state)
{
    struct guarded_world *world = *state;

    assert_int_equal(guarded_world_ask(world, "GET /v2/", NULL)->status, 401);
    assert_int_equal(guarded_world_ask(world, "GET /v2/_catalog", NULL)->status, 200);
    assert_int_equal(guarded_world_ask(world, "GET /v2/a/b/manifests/1", NULL)->status, 404);
    assert_int_equal(guarded_world_ask(world, "GET /v2/a/b/manifests/1", "Bearer x")->status, 401);
    assert_int_equal(guarded_world_ask(world, "POST /v2/all/b/blobs/uploads/", NULL)->status, 401);
}

/* With the same secret and the same database, as a copy of it has them. */
static void a_token_is_for_the_registry_that_it_names(void **state)
{
    struct guarded_world *world = *state;
    struct api_config config = world->world.api->config;
    char token[REGISTRY_TOKEN_FIELD_BYTES];
    const struct reply *reply = NULL;

    guarded_world_token(world, "Bearer employee:jdoe", "repository:all/app:pull,push", token);
    assert_int_equal(guarded_world_ask(world, "GET /v2/all/app/tags/list", token)->status, 404);
    config.public_url = "https://another.example";
    api_world_serve(&world->world, &config);
    reply = guarded_world_ask(world, "GET /v2/all/app/tags/list", token);
    assert_true(reply_is_error(reply, 401, "UNAUTHORIZED"));
    assert_true(reply_says(reply, "for another registry: registry.example"));
    assert_non_null(strstr(reply->headers.text, "service=\"another.example\""));
    assert_non_null(strstr(reply->headers.text, "error=\"invalid_token\""));
    assert_int_equal(guarded_world_ask(world, "POST /v2/all/app/blobs/uploads/", token)->status,
                     401);
    guarded_world_token(world, "Bearer employee:jdoe", "repository:all/app:pull", token);
    assert_int_equal(guarded_world_ask(world, "GET /v2/all/app/tags/list", token)->status, 404);
    config.public_url = "https://REGISTRY.example";
    api_world_serve(&world->world, &config);
    assert_int_equal(guarded_world_ask(world, "GET /v2/all/app/tags/list", token)->status, 401);
}

/* The location of an upload that was begun with that field. */
static void begin_upload(struct guarded_world *world, const char *authorization, char location[256])
{
    const struct reply *reply =
        guarded_world_ask(world, "POST /v2/all/app/blobs/uploads/", authorization);

    assert_int_equal(reply->status, 202);
    (void)snprintf(location, 256, "%.*s", STR_FORMAT(reply_field(reply, "Location")));
}

static void an_upload_is_its_beginners(void **state)
{
    static const struct {
        const char *authorization;
        int status;
    } rows[] = {
        {NULL, 401},
        {"Bearer wrong", 401},
        {"Bearer employee:other", 403},
        {"Bearer service:jdoe", 403},
        {"Bearer lapsed:other", 403},
        {"Bearer lapsed:jdoe", 202},
        {"Bearer employee:jdoe:some-scope", 202},
        {"Bearer employee:jdoe", 202},
    };
    struct guarded_world *world = *state;
    char location[256];
    char line[300];

    begin_upload(world, "Bearer employee:jdoe", location);
    (void)snprintf(line, sizeof(line), "PATCH %s", location);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(guarded_world_send(world, line, rows[i].authorization, "bytes")->status,
                         rows[i].status);
    }
}

static void a_login_that_is_over_goes_on_with_an_upload_for_a_while(void **state)
{
    struct guarded_world *world = *state;
    char location[256];
    char line[300];

    begin_upload(world, "Bearer employee:jdoe", location);
    (void)snprintf(line, sizeof(line), "PATCH %s", location);
    assert_int_equal(guarded_world_send(world, line, "Bearer lapsed:jdoe", "bytes")->status, 202);
    fake_clock_advance(&world->world.clock, (int64_t)12 * 60 * 60 * 1000 + 2);
    assert_int_equal(guarded_world_send(world, line, "Bearer lapsed:jdoe", "bytes")->status, 401);
    assert_true(reply_says(&world->reply, "log in again"));
    fake_clock_advance(&world->world.clock, 1);
    begin_upload(world, "Bearer employee:jdoe", location);
    (void)snprintf(line, sizeof(line), "PATCH %s", location);
    assert_int_equal(guarded_world_send(world, line, "Bearer lapsed:jdoe", "bytes")->status, 401);
}

/* On its way from thread to thread a request is taken apart once. */
static void a_path_is_decoded_once(void **state)
{
    struct guarded_world *world = *state;
    const struct reply *reply =
        guarded_world_ask(world, "GET /v2/a/b/manifests/%2531", "Bearer employee:new");

    assert_true(reply->was_on[HTTP_WAITER]);
    assert_true(reply_is_error(reply, 404, "MANIFEST_UNKNOWN"));
    assert_true(reply_says(reply, "it is neither a tag nor a digest")); /* %31; not 1 */
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, guarded_world_set_up, guarded_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_base_tells_who_has_logged_in),
        TEST(two_fields_are_one_too_many),
        TEST(health_is_for_everybody),
        TEST(wrong_passwords_have_to_wait),
        TEST(passwords_queue_only_so_long),
        TEST(the_log_knows_the_user_and_no_secret),
        cmocka_unit_test_setup_teardown(nobody_in_particular_reads_where_reading_is_public,
                                        guarded_world_set_up_public, guarded_world_tear_down),
        TEST(a_token_is_for_the_registry_that_it_names),
        TEST(an_upload_is_its_beginners),
        TEST(a_login_that_is_over_goes_on_with_an_upload_for_a_while),
        TEST(a_path_is_decoded_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
