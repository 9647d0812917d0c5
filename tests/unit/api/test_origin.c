#include "api/origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/api_private.h"
#include "guarded_world.h"

/* The realm that a request with these fields is told. */
static struct str realm_of(struct guarded_world *world, const char *fields)
{
    struct str challenge;
    size_t begin = 0;

    api_world_ask(&world->world, &(struct question){.line = "GET /v2/", .fields = fields},
                  &world->reply);
    challenge = reply_field(&world->reply, "WWW-Authenticate");
    begin = str_index_of(challenge, '"') + 1;
    challenge = str_from_index(challenge, begin);
    return str_slice(challenge, 0, str_index_of(challenge, '"'));
}

#define FORWARDED "X-Forwarded-Proto: https\r\nX-Forwarded-Host: public.example:8443, inner\r\n"

static void what_anybody_says_does_not_count(void **state)
{
    assert_true(str_is(realm_of(*state, FORWARDED), "http://registry.example/v2/token"));
}

static void what_a_trusted_proxy_says_counts(void **state)
{
    static const struct {
        const char *fields;
        const char *realm;
    } rows[] = {
        {FORWARDED, "https://public.example:8443/v2/token"},
        {"X-Forwarded-Proto: HTTPS\r\n", "https://registry.example/v2/token"},
        {"X-Forwarded-Proto: http\r\n", "http://registry.example/v2/token"},
        {"X-Forwarded-Host: [2001:db8::1]:5000\r\n", "http://[2001:db8::1]:5000/v2/token"},
        {"X-Forwarded-Host: evil\"\r\n", "http://registry.example/v2/token"},
        {"X-Forwarded-Host: \r\n", "http://registry.example/v2/token"},
        {"", "http://registry.example/v2/token"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(str_is(realm_of(*state, rows[i].fields), rows[i].realm));
    }
}

static void the_setting_wins(void **state)
{
    struct guarded_world *world = *state;
    struct api_config config = world->world.api->config;

    config.public_url = "https://registry.example.org";
    api_world_serve(&world->world, &config);
    assert_true(str_is(realm_of(world, FORWARDED), "https://registry.example.org/v2/token"));
}

static void a_page_of_another_site_changes_nothing(void **state)
{
    static const struct {
        const char *fields;
        bool is_foreign;
    } rows[] = {
        {"", false},
        {"Sec-Fetch-Site: same-origin\r\nOrigin: https://registry.example\r\n", false},
        {"Sec-Fetch-Site: none\r\n", false},
        {"Sec-Fetch-Site: cross-site\r\n", true},
        {"Sec-Fetch-Site: same-site\r\nOrigin: https://registry.example\r\n", true},
        {"Sec-Fetch-Site: \r\n", true},
        {"Origin: http://registry.example\r\n", false},
        {"Origin: https://REGISTRY.example\r\n", false},
        {"Origin: https://evil.example\r\n", true},
        {"Origin: https://registry.example:8443\r\n", true},
        {"Origin: null\r\n", true},
        {"Origin: \r\n", true},
    };
    struct guarded_world *world = *state;
    char fields[256];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        (void)snprintf(fields, sizeof(fields), "Authorization: Bearer employee:jdoe\r\n%s",
                       rows[i].fields);
        api_world_ask(
            &world->world,
            &(struct question){.line = "POST /v2/all/app/blobs/uploads/", .fields = fields},
            &world->reply);
        assert_int_equal(world->reply.status, rows[i].is_foreign ? 403 : 202);
        api_world_ask(&world->world, &(struct question){.line = "GET /v2/", .fields = fields},
                      &world->reply);
        assert_int_equal(world->reply.status, 200);
    }
}

/* Ten wrong passwords, sent for that client, make whoever has the other address wait, or not. */
static bool shares_the_limit(struct guarded_world *world, const char *one, const char *other)
{
    char fields[512];

    for (int i = 0; i <= 10; i++) {
        (void)snprintf(fields, sizeof(fields),
                       "Authorization: Basic YWxpY2U6d3Jvbmc=\r\nX-Forwarded-For: %s\r\n",
                       i < 10 ? one : other);
        api_world_ask(&world->world, &(struct question){.line = "GET /v2/", .fields = fields},
                      &world->reply);
    }
    fake_clock_advance(&world->world.clock, 120 * 1000);
    return world->reply.status == 429;
}

static void clients_behind_a_trusted_proxy_are_told_apart(void **state)
{
    struct guarded_world *world = *state;

    assert_true(shares_the_limit(world, "203.0.113.1", "203.0.113.1"));
    assert_false(shares_the_limit(world, "203.0.113.1", "203.0.113.2"));
    /* What stands before the first that is no proxy of ours, the client may have made up. */
    assert_true(shares_the_limit(world, "1.1.1.1, 203.0.113.1", "2.2.2.2, 203.0.113.1"));
    assert_true(shares_the_limit(world, "203.0.113.1, 10.0.0.1", "203.0.113.1, 10.0.0.2"));
    assert_false(shares_the_limit(world, "203.0.113.1, 10.0.0.1", "203.0.113.2, 10.0.0.1"));
    /* A proxy that adds a field of its own: the last one counts. */
    assert_true(shares_the_limit(world, "1.1.1.1\r\nX-Forwarded-For: 203.0.113.1",
                                 "2.2.2.2\r\nX-Forwarded-For: 203.0.113.1"));
    assert_true(shares_the_limit(world, "203.0.113.1\r\nX-Forwarded-For: 10.0.0.1",
                                 "203.0.113.1\r\nX-Forwarded-For: 10.0.0.2"));
    /* Some proxies tell the client's port, which is another each time. */
    assert_true(shares_the_limit(world, "203.0.113.1:50001", "203.0.113.1:50002"));
    assert_true(shares_the_limit(world, "203.0.113.1:50001", "203.0.113.1"));
    assert_true(shares_the_limit(world, "203.0.113.1, 10.0.0.1:1", "203.0.113.1, 10.0.0.2:2"));
    assert_true(shares_the_limit(world, "[2001:db8::1]:50001", "[2001:db8::1]:50002"));
    assert_true(shares_the_limit(world, "[2001:db8::1]", "2001:db8::1"));
    assert_false(shares_the_limit(world, "2001:db8:0:1::1", "2001:db8:0:2::1"));
}

static void clients_cannot_say_who_they_are(void **state)
{
    assert_true(shares_the_limit(*state, "203.0.113.1", "203.0.113.2"));
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, guarded_world_set_up, guarded_world_tear_down)
#define BEHIND_PROXY(name)                                                                         \
    cmocka_unit_test_setup_teardown(name, guarded_world_set_up_behind_proxy,                       \
                                    guarded_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_anybody_says_does_not_count),
        BEHIND_PROXY(what_a_trusted_proxy_says_counts),
        BEHIND_PROXY(the_setting_wins),
        TEST(a_page_of_another_site_changes_nothing),
        BEHIND_PROXY(clients_behind_a_trusted_proxy_are_told_apart),
        TEST(clients_cannot_say_who_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
