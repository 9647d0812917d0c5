#include "server/database_tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "outbound/http_client.h"
#include "tests/support/fake_clock.h"

enum { TEXT_MAX_BYTES = 4096, MINUTE_MS = 60 * MS_PER_SECOND };

/* What AWS's own client (botocore 1.43) makes of the same at the same moment. */
#define EXPECTED                                                                                   \
    "db.c1.eu-central-1.rds.amazonaws.com:5432/?Action=connect&DBUser=pierone&"                    \
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&"                                                            \
    "X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20150507%2Feu-central-1%2Frds-db%2Faws4_request&"     \
    "X-Amz-Date=20150507T154951Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&"                      \
    "X-Amz-Signature=d0e896799f98ac9ff0f5052bf4cc5898ca82e41e4bb617870b13363964f09f0f"

/* Computed with Python's hmac. */
#define EXPECTED_TEMPORARY                                                                         \
    "db-2.example:6000/?Action=connect&DBUser=pier%20one&"                                         \
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&"                                                            \
    "X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20150507%2Fus-east-1%2Frds-db%2Faws4_request&"        \
    "X-Amz-Date=20150507T154951Z&X-Amz-Expires=900&X-Amz-Security-Token=FwoG%2B%2F%3D&"            \
    "X-Amz-SignedHeaders=host&"                                                                    \
    "X-Amz-Signature=c72dfdf79730745493406ce9cf5e8e332b2e0e069d3f15ea0d650f9d92f26e8d"

static const struct database_server server = {"db.c1.eu-central-1.rds.amazonaws.com", 5432,
                                              "pierone"};

/* Keys from an environment that is all made up, and a clock that stands. */
struct world {
    struct fake_clock clock;
    struct http_client *http;
    struct aws_credentials *credentials;
    struct database_tokens *tokens;
    const char *key_id; /* NULL: there are no keys */
};

static const char *variable(const void *context, const char *name)
{
    const struct world *world = context;

    if (strcmp(name, "AWS_ACCESS_KEY_ID") == 0) {
        return world->key_id;
    }
    if (strcmp(name, "AWS_EC2_METADATA_DISABLED") == 0) {
        return "true";
    }
    return strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0 && world->key_id
               ? "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
               : NULL;
}

static int set_up(void **state)
{
    static struct world world;
    const struct http_client_config http = {
        .user_agent = "test", .timeout_ms = 1000, .answer_max_bytes = TEXT_MAX_BYTES};
    struct aws_credentials_config credentials = {
        .variable = variable, .context = &world, .region = "eu-central-1"};
    struct database_tokens_config config = {.region = "eu-central-1"};

    world = (struct world){.key_id = "AKIAIOSFODNN7EXAMPLE"};
    fake_clock_init(&world.clock);
    assert_int_equal(http_client_new(&http, &world.http, NULL), OK);
    credentials.client = world.http;
    credentials.clock = &world.clock.clock;
    assert_int_equal(aws_credentials_new(&credentials, &world.credentials, NULL), OK);
    config.credentials = world.credentials;
    config.clock = &world.clock.clock;
    world.tokens = database_tokens_new(&config);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    database_tokens_free(world->tokens);
    aws_credentials_free(world->credentials);
    http_client_free(world->http);
    return 0;
}

/* Asks for the token of a server, and whether it is that one. */
static bool gives(struct world *world, const struct database_server *whose, const char *expected)
{
    const struct database_passwords passwords = database_tokens_passwords(world->tokens);
    struct strbuf token;
    bool is_equal = false;

    strbuf_init_secret(&token, TEXT_MAX_BYTES);
    assert_int_equal(passwords.get(passwords.context, whose, &token, NULL), OK);
    is_equal = strcmp(token.text, expected) == 0;
    strbuf_release(&token);
    return is_equal;
}

static void a_token_is_what_aws_makes(void **state)
{
    assert_true(gives(*state, &server, EXPECTED));
}

static void temporary_keys_are_signed_along(void **state)
{
    const struct aws_keys keys = {"AKIAIOSFODNN7EXAMPLE",
                                  "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "FwoG+/="};
    const struct database_server other = {"db-2.example", 6000, "pier one"};
    struct world *world = *state;
    struct strbuf token;

    strbuf_init_secret(&token, TEXT_MAX_BYTES);
    assert_int_equal(database_token_sign(&keys, "us-east-1", clock_wall_ms(&world->clock.clock),
                                         &other, &token, NULL),
                     OK);
    assert_string_equal(token.text, EXPECTED_TEMPORARY);
    strbuf_release(&token);
}

static void a_token_is_used_for_ten_minutes(void **state)
{
    struct world *world = *state;

    assert_true(gives(world, &server, EXPECTED));
    fake_clock_advance(&world->clock, 10 * MINUTE_MS - 1);
    assert_true(gives(world, &server, EXPECTED));
    fake_clock_advance(&world->clock, 1);
    assert_false(gives(world, &server, EXPECTED));
}

static void each_server_and_user_has_its_own(void **state)
{
    static const struct database_server others[] = {
        {"db.c1.eu-central-1.rds.amazonaws.com", 5433, "pierone"},
        {"db2.c1.eu-central-1.rds.amazonaws.com", 5432, "pierone"},
        {"db.c1.eu-central-1.rds.amazonaws.com", 5432, "somebody"},
    };

    assert_true(gives(*state, &server, EXPECTED));
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        assert_false(gives(*state, &others[i], EXPECTED));
    }
    assert_true(gives(*state, &server, EXPECTED));
}

static void one_that_is_doubted_is_made_again(void **state)
{
    struct world *world = *state;
    const struct database_passwords passwords = database_tokens_passwords(world->tokens);

    assert_true(gives(world, &server, EXPECTED));
    fake_clock_advance(&world->clock, MS_PER_SECOND);
    assert_true(gives(world, &server, EXPECTED));
    passwords.doubt(passwords.context, &server);
    assert_false(gives(world, &server, EXPECTED));
}

static void without_keys_there_is_none(void **state)
{
    struct world *world = *state;
    const struct database_passwords passwords = database_tokens_passwords(world->tokens);
    struct error err = {0};
    struct strbuf token;

    world->key_id = NULL;
    strbuf_init_secret(&token, TEXT_MAX_BYTES);
    assert_int_equal(passwords.get(passwords.context, &server, &token, &err), ERROR_UNAVAILABLE);
    assert_non_null(strstr(err.message, "AWS_ACCESS_KEY_ID"));
    assert_int_equal(token.length, 0);
    strbuf_release(&token);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_token_is_what_aws_makes),         TEST(temporary_keys_are_signed_along),
        TEST(a_token_is_used_for_ten_minutes),   TEST(each_server_and_user_has_its_own),
        TEST(one_that_is_doubted_is_made_again), TEST(without_keys_there_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
