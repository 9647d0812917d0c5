#include "api/login.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "stocked_world.h"

enum { LONG_FIELD_BYTES = LOGIN_KEPT_MAX_BYTES + 64, CACHE_MS = 120 * 1000 };

#define PULL "GET /v2/all/app/manifests/1.0"

/* How a pull is answered; the log tells to whom. */
static int pull_as(struct guarded_world *world, const char *authorization)
{
    return guarded_world_ask(world, PULL, authorization)->status;
}

static bool last_log_line_names(struct guarded_world *world, const char *user)
{
    char field[64];
    struct strbuf log;
    bool is_named = false;
    size_t start = 0;

    (void)snprintf(field, sizeof(field), "\"user\":\"%s\"", user);
    strbuf_init(&log, 1024 * 1024);
    api_world_read_log(&world->world, &log);
    assert_true(log.length > 1);
    log.text[log.length - 1] = '\0'; /* the last line's end */
    start = str_last_index_of(str_from(log.text), '\n');
    is_named = strstr(log.text + start, field);
    strbuf_release(&log);
    return is_named;
}

/* Whom the connection knows by that field. */
static bool recalls(const struct guarded_world *world, const char *authorization, const char *user)
{
    struct http_exchange exchange = {.session = world->world.session};
    const struct call call = {.api = world->world.api, .exchange = &exchange};
    struct identity *identity = login_recall_kept(&call, str_from(authorization));
    const bool is_theirs = identity && str_is(identity->name, user);

    identity_release(identity);
    return is_theirs;
}

static void the_same_token_is_recalled(void **state)
{
    struct guarded_world *world = *state;
    const void *session = NULL;

    assert_int_equal(pull_as(world, "Bearer employee:jdoe"), 200);
    session = world->world.session;
    assert_non_null(session);
    assert_int_equal(pull_as(world, "Bearer employee:jdoe"), 200);
    assert_false(world->reply.was_on[HTTP_WAITER]);
    assert_true(last_log_line_names(world, "jdoe"));
    assert_ptr_equal(world->world.session, session);
    assert_true(recalls(world, "Bearer employee:jdoe", "jdoe"));
    assert_false(recalls(world, "Bearer employee:jdob", "jdoe"));
    fake_clock_advance(&world->world.clock, CACHE_MS);
    assert_false(recalls(world, "Bearer employee:jdoe", "jdoe"));
}

/* A proxy sends many users' requests on one connection. */
static void another_token_is_somebody_else(void **state)
{
    struct guarded_world *world = *state;

    assert_int_equal(pull_as(world, "Bearer employee:jdoe"), 200);
    assert_int_equal(pull_as(world, "Bearer employee:jdob"), 200);
    assert_true(last_log_line_names(world, "jdob"));
    assert_int_equal(pull_as(world, "Bearer employee:jdo"), 200);
    assert_true(last_log_line_names(world, "jdo"));
    assert_int_equal(pull_as(world, "Bearer employee:jdoe"), 200);
    assert_true(last_log_line_names(world, "jdoe"));
    assert_int_equal(pull_as(world, "Bearer wrong"), 401);
    assert_int_equal(pull_as(world, NULL), 401);
}

static void a_token_is_asked_about_again_when_it_counts_no_more(void **state)
{
    struct guarded_world *world = *state;

    assert_int_equal(pull_as(world, "Bearer employee:jdoe"), 200);
    fake_clock_advance(&world->world.clock, CACHE_MS);
    assert_int_equal(pull_as(world, "Bearer employee:jdoe"), 200);
    assert_true(world->reply.was_on[HTTP_WAITER]);
    assert_int_equal(pull_as(world, "Bearer employee:jdoe"), 200);
    assert_false(world->reply.was_on[HTTP_WAITER]);
}

/* A registry token is for what it grants: that is looked at each time. */
static void a_recalled_token_grants_no_more_than_before(void **state)
{
    struct guarded_world *world = *state;
    char field[REGISTRY_TOKEN_FIELD_BYTES];

    guarded_world_token(world, "Bearer employee:jdoe", "repository:all/app:pull", field);
    assert_int_equal(pull_as(world, field), 200);
    assert_int_equal(pull_as(world, field), 200);
    assert_int_equal(guarded_world_ask(world, "GET /v2/all/deep/er/manifests/1", field)->status,
                     401);
    assert_int_equal(guarded_world_ask(world, "POST /v2/all/app/blobs/uploads/", field)->status,
                     401);
}

static void passwords_and_what_is_very_long_are_not_kept(void **state)
{
    struct guarded_world *world = *state;
    char field[LONG_FIELD_BYTES + 1] = "Bearer employee:jdoe:";

    for (size_t i = strlen(field); i < LONG_FIELD_BYTES; i++) {
        field[i] = 'x';
    }
    assert_int_equal(pull_as(world, "Basic YWxpY2U6cmlnaHQ="), 200); /* alice:right */
    assert_int_equal(pull_as(world, field), 200);
    assert_null(world->world.session);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, stocked_world_set_up, guarded_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_same_token_is_recalled),
        TEST(another_token_is_somebody_else),
        TEST(a_token_is_asked_about_again_when_it_counts_no_more),
        TEST(a_recalled_token_grants_no_more_than_before),
        TEST(passwords_and_what_is_very_long_are_not_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
