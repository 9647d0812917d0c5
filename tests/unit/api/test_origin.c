#include "api/origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/call.h"
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

static void what_anybody_says_of_a_host_does_not_count(void **state)
{
    static const char *const fields[] = {
        "X-Forwarded-Proto: http\r\nX-Forwarded-Host: public.example\r\n",
        "Forwarded: host=public.example;proto=http\r\n",
        "X-Forwarded-Port: 8443\r\n",
        "X-Forwarded-Ssl: off\r\nFront-End-Https: off\r\n",
        "Forwarded: for=https;by=https;host=https\r\n",
        "Forwarded: https\r\n",
        "X-Forwarded-Proto: httpss, xhttps, https:\r\n",
        "",
    };

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        assert_true(str_is(realm_of(*state, fields[i]), "http://registry.example/v2/token"));
    }
}

/* Nobody who was there by https is sent away from it, whoever says so. */
static void https_is_believed_of_anybody(void **state)
{
    static const char *const fields[] = {
        FORWARDED,
        "X-Forwarded-Proto: HTTPS\r\n",
        "X-Forwarded-Proto: http, https\r\n",
        "X-Forwarded-Proto: http\r\nX-Forwarded-Proto: https\r\n",
        "X-Forwarded-Protocol: https\r\n",
        "X-Forwarded-Scheme: https\r\n",
        "X-Url-Scheme: https\r\n",
        "X-Original-Proto: https\r\n",
        "X-AppEngine-Https: on\r\n",
        "Fastly-SSL: 1\r\n",
        "X-Scheme: https\r\n",
        "CloudFront-Forwarded-Proto: https\r\n",
        "X-Forwarded-Ssl: on\r\n",
        "Front-End-Https: On\r\n",
        "X-Forwarded-Port: 443\r\n",
        "Forwarded: for=192.0.2.60;proto=https;by=203.0.113.43\r\n",
        "Forwarded: for=192.0.2.60; Proto=\"HTTPS\"\r\n",
        "Forwarded: proto=http, for=\"[2001:db8::1]:47011\";proto=https\r\n",
    };

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        assert_true(str_is(realm_of(*state, fields[i]), "https://registry.example/v2/token"));
    }
}

static size_t count_doubts(struct guarded_world *world)
{
    struct strbuf text;
    size_t count = 0;

    strbuf_init(&text, 1024 * 1024);
    api_world_read_log(&world->world, &text);
    for (const char *found = strstr(text.text, "\"event\":\"tls_in_front\""); found;
         found = strstr(found + 1, "\"event\":\"tls_in_front\"")) {
        count++;
    }
    assert_true(count == 0 || strstr(text.text, "set public_url, or trusted_proxies"));
    assert_true(count == 0 || strstr(text.text, "\"peer\":\"192.0.2.1\""));
    strbuf_release(&text);
    return count;
}

static void the_operator_is_told_of_a_doubt_once_a_minute(void **state)
{
    struct guarded_world *world = *state;

    (void)realm_of(world, "");
    assert_int_equal(count_doubts(world), 0);
    for (size_t i = 1; i <= 2; i++) {
        (void)realm_of(world, FORWARDED);
        (void)realm_of(world, FORWARDED);
        assert_int_equal(count_doubts(world), i);
        fake_clock_advance(&world->world.clock, 60 * 1000);
    }
}

static void a_trusted_proxy_is_not_doubted(void **state)
{
    (void)realm_of(*state, FORWARDED);
    assert_true(
        str_is(realm_of(*state, "X-Forwarded-Ssl: on\r\n"), "https://registry.example/v2/token"));
    assert_int_equal(count_doubts(*state), 0);
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
        {"X-Forwarded-Proto: http\r\nX-Forwarded-Ssl: on\r\n", "http://registry.example/v2/token"},
        {"Forwarded: proto=https;host=\"public.example:8443\", proto=http;host=inner\r\n",
         "https://public.example:8443/v2/token"},
        {"Forwarded: host=other\r\nX-Forwarded-Host: public.example\r\n",
         "http://public.example/v2/token"},
        {"Forwarded: host=\"a b\"\r\n", "http://registry.example/v2/token"},
        {"Forwarded: host=\"\r\n", "http://registry.example/v2/token"},
        {"X-Forwarded-Proto: https\r\nX-Forwarded-Port: 8443\r\n",
         "https://registry.example:8443/v2/token"},
        {"X-Forwarded-Host: a.b:5000\r\nX-Forwarded-Port: 8443\r\n", "http://a.b:5000/v2/token"},
        {"X-Forwarded-Host: [2001:db8::1]\r\nX-Forwarded-Port: 8443\r\n",
         "http://[2001:db8::1]:8443/v2/token"},
        {"X-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\n",
         "https://registry.example/v2/token"},
        {"X-Forwarded-Proto: https\r\nX-Forwarded-Port: 80\r\n",
         "https://registry.example/v2/token"},
        {"X-Forwarded-Port: 0\r\n", "http://registry.example/v2/token"},
        {"X-Forwarded-Port: 65536\r\n", "http://registry.example/v2/token"},
        {"X-Forwarded-Port: x\r\n", "http://registry.example/v2/token"},
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
static bool shares_the_limit_by(struct guarded_world *world, const char *field, const char *one,
                                const char *other)
{
    char fields[512];

    for (int i = 0; i <= 10; i++) {
        (void)snprintf(fields, sizeof(fields),
                       "Authorization: Basic YWxpY2U6d3Jvbmc=\r\n%s: %s\r\n", field,
                       i < 10 ? one : other);
        api_world_ask(&world->world, &(struct question){.line = "GET /v2/", .fields = fields},
                      &world->reply);
    }
    fake_clock_advance(&world->world.clock, 120 * 1000);
    return world->reply.status == 429;
}

static bool shares_the_limit(struct guarded_world *world, const char *one, const char *other)
{
    return shares_the_limit_by(world, "X-Forwarded-For", one, other);
}

/* RFC 7239; X-Forwarded-For counts before it. */
static void a_forwarded_field_tells_them_apart_too(void **state)
{
    static const struct {
        const char *one;
        const char *other;
        bool is_shared;
    } rows[] = {
        {"for=203.0.113.1", "For=203.0.113.1;proto=https", true},
        {"for=203.0.113.1", "for=203.0.113.2", false},
        {"for=1.1.1.1, for=203.0.113.1", "for=2.2.2.2, for=203.0.113.1", true},
        {"for=203.0.113.1, for=10.0.0.1", "for=203.0.113.1;by=x, for=10.0.0.2", true},
        {"for=\"[2001:db8::1]:47011\"", "for=\"[2001:db8::1]\"", true},
        {"for=\"1.1.1.1, for=203.0.113.1", "for=2.2.2.2, for=203.0.113.1", true},
        {"for=1.1.1.1\r\nX-Forwarded-For: 203.0.113.1",
         "for=2.2.2.2\r\nX-Forwarded-For: 203.0.113.1", true},
        {"proto=https", "proto=http", true}, /* the proxy itself */
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(shares_the_limit_by(*state, "Forwarded", rows[i].one, rows[i].other),
                         rows[i].is_shared);
    }
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
        TEST(what_anybody_says_of_a_host_does_not_count),
        TEST(https_is_believed_of_anybody),
        TEST(the_operator_is_told_of_a_doubt_once_a_minute),
        BEHIND_PROXY(a_trusted_proxy_is_not_doubted),
        BEHIND_PROXY(a_forwarded_field_tells_them_apart_too),
        BEHIND_PROXY(what_a_trusted_proxy_says_counts),
        BEHIND_PROXY(the_setting_wins),
        TEST(a_page_of_another_site_changes_nothing),
        BEHIND_PROXY(clients_behind_a_trusted_proxy_are_told_apart),
        TEST(clients_cannot_say_who_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
