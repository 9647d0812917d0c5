#include "cli/provider.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "tests/support/fake_http_client.h"

enum { ARENA_BYTES = 64 * 1024 };

#define WELL_KNOWN "https://r/.well-known/pierone"
#define DISCOVERY "https://i/.well-known/openid-configuration"

static const struct registry_url registry = {"https://r", "r"};

static void a_registry_says_how_to_log_in(void **state)
{
    struct http_client *client = fake_http_client_new();
    struct provider provider = {0};
    struct arena arena;

    (void)state;
    arena_init(&arena, ARENA_BYTES);
    fake_http_client_answer(
        client, WELL_KNOWN, 200,
        "{\"methods\":[\"oauth2\",\"password\",\"new\"],\"issuer\":\"https://i\","
        "\"client_id\":\"c\",\"scopes\":[\"a\",\"b\"],\"redirect_port\":17}",
        -1);
    assert_int_equal(provider_find(client, &registry, &arena, &provider, NULL), OK);
    assert_true(provider.takes_tokens && provider.takes_passwords);
    assert_string_equal(provider.issuer, "https://i");
    assert_string_equal(provider.client_id, "c");
    assert_string_equal(provider.scopes, "a b");
    assert_int_equal(provider.redirect_port, 17);
    fake_http_client_answer(client, WELL_KNOWN, 200, "{\"methods\":[],\"issuer\":null}", -1);
    assert_int_equal(provider_find(client, &registry, &arena, &provider, NULL), OK);
    assert_false(provider.takes_tokens || provider.takes_passwords);
    assert_null(provider.issuer);
    http_client_free(client);
    arena_release(&arena);
}

static void what_is_no_registry_is_told(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum error_code code;
    } rows[] = {
        {404, "", ERROR_INVALID},   {200, "<html>", ERROR_INVALID},
        {200, "{}", ERROR_INVALID}, {200, "{\"methods\":\"x\"}", ERROR_INVALID},
        {302, "", ERROR_INVALID},   {0, "", ERROR_UNAVAILABLE},
    };
    struct http_client *client = fake_http_client_new();
    struct arena arena;

    (void)state;
    arena_init(&arena, ARENA_BYTES);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct provider provider = {0};

        fake_http_client_answer(client, WELL_KNOWN, rows[i].status, rows[i].body, -1);
        assert_int_equal(provider_find(client, &registry, &arena, &provider, NULL), rows[i].code);
    }
    http_client_free(client);
    arena_release(&arena);
}

static void an_issuer_says_where(void **state)
{
    static const char *const issuers[] = {"https://i", "https://i/"};
    struct http_client *client = fake_http_client_new();
    struct arena arena;

    (void)state;
    arena_init(&arena, ARENA_BYTES);
    for (size_t i = 0; i < ARRAY_LEN(issuers); i++) {
        struct provider provider = {.issuer = issuers[i]};

        fake_http_client_answer(client, DISCOVERY, 200,
                                "{\"authorization_endpoint\":\"https://i/a\","
                                "\"token_endpoint\":\"https://i/t\"}",
                                -1);
        assert_int_equal(provider_discover(client, &arena, &provider, NULL), OK);
        assert_string_equal(provider.authorization_url, "https://i/a");
        assert_string_equal(provider.token_url, "https://i/t");
        assert_null(provider.device_url);
        fake_http_client_answer(client, DISCOVERY, 200, "{}", -1);
        assert_int_equal(provider_discover(client, &arena, &provider, NULL), ERROR_UNAVAILABLE);
        fake_http_client_answer(client, DISCOVERY, 200,
                                "{\"authorization_endpoint\":\"--help\","
                                "\"token_endpoint\":\"file:///etc/passwd\"}",
                                -1);
        assert_int_equal(provider_discover(client, &arena, &provider, NULL), ERROR_UNAVAILABLE);
        assert_null(provider.authorization_url);
        fake_http_client_answer(client, DISCOVERY, 404, "", -1);
        assert_int_equal(provider_discover(client, &arena, &provider, NULL), ERROR_UNAVAILABLE);
    }
    http_client_free(client);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest provider[] = {
        cmocka_unit_test(a_registry_says_how_to_log_in),
        cmocka_unit_test(what_is_no_registry_is_told),
        cmocka_unit_test(an_issuer_says_where),
    };

    return cmocka_run_group_tests(provider, NULL, NULL);
}
