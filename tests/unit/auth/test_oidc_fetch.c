#include "auth/oidc_fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_http_client.h"

#define ISSUER "https://issuer.example/realm"
#define DISCOVERY ISSUER "/.well-known/openid-configuration"
#define KEYS "https://keys.example/jwks"

static const char key_set[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
                              "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                              "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";

static int set_up(void **state)
{
    struct http_client *client = fake_http_client_new();

    fake_http_client_answer(client, DISCOVERY, 200,
                            "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"" KEYS "\"}", 5);
    fake_http_client_answer(client, KEYS, 200, key_set, 300);
    *state = client;
    return 0;
}

static int tear_down(void **state)
{
    http_client_free(*state);
    return 0;
}

static void expect_keys(const struct oidc_place *place)
{
    struct oidc_fetched fetched = {0};
    struct error err = {0};

    if (oidc_fetch_keys(place, &fetched, &err)) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(key_set_count(fetched.keys), 1);
    assert_int_equal(fetched.max_age_s, 300);
    key_set_release(fetched.keys);
}

static void expect_failure(const struct oidc_place *place, const char *part)
{
    struct oidc_fetched fetched = {0};
    struct error err = {0};

    assert_int_equal(oidc_fetch_keys(place, &fetched, &err), ERROR_UNAVAILABLE);
    assert_null(fetched.keys);
    if (!strstr(err.message, part)) {
        fail_msg("'%s' does not say '%s'", err.message, part);
    }
}

static void keys_are_found_by_discovery(void **state)
{
    expect_keys(&(struct oidc_place){.issuer = ISSUER, .client = *state});
    assert_int_equal(fake_http_client_count(*state, NULL), 2);
}

static void a_slash_at_the_end_is_left_out(void **state)
{
    fake_http_client_answer(*state, DISCOVERY, 200,
                            "{\"issuer\":\"" ISSUER "/\",\"jwks_uri\":\"" KEYS "\"}", 5);
    expect_keys(&(struct oidc_place){.issuer = ISSUER "/", .client = *state});
}

static void a_known_place_needs_no_discovery(void **state)
{
    expect_keys(&(struct oidc_place){.issuer = ISSUER, .jwks_url = KEYS, .client = *state});
    assert_int_equal(fake_http_client_count(*state, NULL), 1);
}

static void bad_discovery_is_told(void **state)
{
    static const struct {
        int status;
        const char *body;
        const char *message;
    } rows[] = {
        {0, "", "nobody answers"},
        {404, "", DISCOVERY " answered 404"},
        {301, "", "answered 301"},
        {200, "<html>", "is not JSON"},
        {200, "[]", "calls itself ''"},
        {200, "{}", "calls itself ''"},
        {200, "{\"issuer\":\"https://other\",\"jwks_uri\":\"" KEYS "\"}",
         "the issuer at " ISSUER " calls itself 'https://other'"},
        {200, "{\"issuer\":\"" ISSUER "/\",\"jwks_uri\":\"" KEYS "\"}", "calls itself"},
        {200, "{\"issuer\":\"" ISSUER "\"}", "no usable 'jwks_uri'"},
        {200, "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":7}", "no usable 'jwks_uri'"},
        {200, "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"file:///etc/passwd\"}",
         "no usable 'jwks_uri'"},
        {200, "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"http://keys.example/jwks\"}",
         "no usable 'jwks_uri'"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        fake_http_client_answer(*state, DISCOVERY, rows[i].status, rows[i].body, -1);
        expect_failure(&(struct oidc_place){.issuer = ISSUER, .client = *state}, rows[i].message);
    }
    assert_int_equal(fake_http_client_count(*state, KEYS), 0);
}

static void an_issuer_without_tls_may_have_keys_without(void **state)
{
    fake_http_client_answer(
        *state, "http://127.0.0.1:1/.well-known/openid-configuration", 200,
        "{\"issuer\":\"http://127.0.0.1:1\",\"jwks_uri\":\"http://127.0.0.1:1/jwks\"}", 5);
    fake_http_client_answer(*state, "http://127.0.0.1:1/jwks", 200, key_set, 300);
    expect_keys(&(struct oidc_place){.issuer = "http://127.0.0.1:1", .client = *state});
}

static void bad_key_sets_are_told(void **state)
{
    static const struct {
        int status;
        const char *body;
        const char *message;
    } rows[] = {
        {0, "", "nobody answers"},
        {500, "", KEYS " answered 500"},
        {200, "", "the keys of " ISSUER " cannot be read"},
        {200, "{}", "has no array 'keys'"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        fake_http_client_answer(*state, KEYS, rows[i].status, rows[i].body, -1);
        expect_failure(&(struct oidc_place){.issuer = ISSUER, .client = *state}, rows[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keys_are_found_by_discovery, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_slash_at_the_end_is_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_known_place_needs_no_discovery, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_discovery_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_issuer_without_tls_may_have_keys_without, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(bad_key_sets_are_told, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
