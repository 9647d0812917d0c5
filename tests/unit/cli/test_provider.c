#include "cli/provider.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/fake_http_client.h"

static const struct registry_url registry = {.url = "https://a.b", .host = "a.b"};
static const char about[] = "https://a.b/.well-known/pierone";
static const char discovery[] = "https://login/.well-known/openid-configuration";

struct asking {
    struct http_client *client;
    struct arena arena;
};

static int set_up(void **state)
{
    struct asking *const asking = calloc(1, sizeof(*asking));

    asking->client = fake_http_client_new();
    arena_init(&asking->arena, 1024 * 1024);
    *state = asking;
    return 0;
}

static int tear_down(void **state)
{
    struct asking *const asking = *state;

    http_client_free(asking->client);
    arena_release(&asking->arena);
    free(asking);
    return 0;
}

static enum error_code find(struct asking *asking, struct provider *provider, struct error *err)
{
    return provider_find(asking->client, &registry, &asking->arena, provider, err);
}

static void assert_text(const char *found, const char *expected)
{
    assert_int_equal(found == NULL, expected == NULL);
    if (found) {
        assert_string_equal(found, expected);
    }
}

static void a_registry_says_how_one_logs_in(void **state)
{
    static const struct {
        const char *body;
        bool takes_tokens;
        bool takes_passwords;
        const char *issuer;
        const char *client_id;
        const char *scopes;
        uint64_t redirect_port;
    } cases[] = {
        {"{\"methods\":[]}", false, false, NULL, NULL, "", 0},
        {"{\"methods\":[\"oauth2\"],\"issuer\":\"https://i\",\"client_id\":\"c\","
         "\"scopes\":[\"openid\",\"uid\"],\"redirect_port\":8081}",
         true, false, "https://i", "c", "openid uid", 8081},
        {"{\"methods\":[\"password\",\"oauth2\",\"later\"]}", true, true, NULL, NULL, "", 0},
        {"{\"methods\":[1,null,\"password\"],\"issuer\":\"\",\"client_id\":5,\"scopes\":\"x\","
         "\"redirect_port\":\"8081\"}",
         false, true, NULL, NULL, "", 0},
    };
    struct asking *const asking = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct provider provider = {.issuer = "from before", .redirect_port = 1};

        fake_http_client_answer(asking->client, about, 200, cases[i].body, -1);
        assert_int_equal(find(asking, &provider, NULL), OK);
        assert_int_equal(provider.takes_tokens, cases[i].takes_tokens);
        assert_int_equal(provider.takes_passwords, cases[i].takes_passwords);
        assert_text(provider.issuer, cases[i].issuer);
        assert_text(provider.client_id, cases[i].client_id);
        assert_text(provider.scopes, cases[i].scopes);
        assert_int_equal(provider.redirect_port, cases[i].redirect_port);
        assert_null(provider.token_url);
    }
}

static void a_port_that_cannot_be_is_refused(void **state)
{
    struct asking *const asking = *state;
    struct provider provider;
    struct error err = {0};

    fake_http_client_answer(asking->client, about, 200, "{\"methods\":[],\"redirect_port\":65535}",
                            -1);
    assert_int_equal(find(asking, &provider, NULL), OK);
    fake_http_client_answer(asking->client, about, 200, "{\"methods\":[],\"redirect_port\":65536}",
                            -1);
    assert_int_equal(find(asking, &provider, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "redirect_port"));
}

static void what_is_no_registry_is_told(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum error_code code;
    } cases[] = {
        {0, "", ERROR_UNAVAILABLE},   {404, "{\"methods\":[]}", ERROR_INVALID},
        {200, "", ERROR_INVALID},     {200, "<html>", ERROR_INVALID},
        {200, "{}", ERROR_INVALID},   {200, "{\"methods\":{}}", ERROR_INVALID},
        {200, "[[]]", ERROR_INVALID}, {500, "", ERROR_INVALID},
    };
    struct asking *const asking = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct provider provider = {.issuer = "untouched"};
        struct error err = {0};

        fake_http_client_answer(asking->client, about, cases[i].status, cases[i].body, -1);
        assert_int_equal(find(asking, &provider, &err), cases[i].code);
        assert_true(err.message[0] != '\0');
        assert_string_equal(provider.issuer, "untouched");
    }
}

static void scopes_have_a_highest_number(void **state)
{
    struct asking *const asking = *state;
    struct provider provider;
    const char *list = "\"s\"";

    for (int i = 0; i < PROVIDER_SCOPES_MAX; i++) {
        list = arena_format(&asking->arena, "%s,\"s\"", list);
    }
    fake_http_client_answer(asking->client, about, 200,
                            arena_format(&asking->arena, "{\"methods\":[],\"scopes\":[%s]}", list),
                            -1);
    assert_int_equal(find(asking, &provider, NULL), OK);
    assert_int_equal(strlen(provider.scopes), 2 * PROVIDER_SCOPES_MAX - 1);
}

static void answer_discovery(struct asking *asking, const char *issuer, const char *members)
{
    fake_http_client_answer(asking->client, discovery, 200,
                            arena_format(&asking->arena, "{\"issuer\":\"%s\",%s}", issuer, members),
                            -1);
}

static void an_issuer_says_where(void **state)
{
    static const char *const issuers[] = {"https://login", "https://login/"};
    struct asking *const asking = *state;

    for (size_t i = 0; i < ARRAY_LEN(issuers); i++) {
        struct provider provider = {.issuer = issuers[i], .device_url = "from before"};

        answer_discovery(asking, issuers[i],
                         "\"authorization_endpoint\":\"https://login/a\","
                         "\"token_endpoint\":\"https://other/t\"");
        assert_int_equal(provider_discover(asking->client, &asking->arena, &provider, NULL), OK);
        assert_text(provider.authorization_url, "https://login/a");
        assert_text(provider.token_url, "https://other/t");
        assert_text(provider.device_url, NULL);
    }
    assert_int_equal(fake_http_client_count(asking->client, discovery), 2);
}

/* OpenID Connect Discovery 4.3: exactly, a slash counts. */
static void a_document_of_another_issuer_is_refused(void **state)
{
    static const char *const others[] = {"https://login/",  "https://LOGIN", "http://login",
                                         "https://login/x", "https://other", ""};
    struct asking *const asking = *state;

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        struct provider provider = {.issuer = "https://login"};
        struct error err = {0};

        answer_discovery(asking, others[i], "\"token_endpoint\":\"https://login/t\"");
        assert_int_equal(provider_discover(asking->client, &asking->arena, &provider, &err),
                         ERROR_UNAVAILABLE);
        assert_non_null(strstr(err.message, "login.issuer"));
    }
    fake_http_client_answer(asking->client, discovery, 200,
                            "{\"token_endpoint\":\"https://login/t\"}", -1);
    assert_int_equal(provider_discover(asking->client, &asking->arena,
                                       &(struct provider){.issuer = "https://login"}, NULL),
                     ERROR_UNAVAILABLE);
}

static void nobody_is_sent_from_https_to_http(void **state)
{
    static const struct {
        const char *issuer;
        const char *endpoint;
        enum error_code code;
    } cases[] = {
        {"https://login", "http://login/x", ERROR_UNAVAILABLE},
        {"https://login", "http://127.0.0.1@login/x", ERROR_UNAVAILABLE},
        {"https://login", "http://localhost:80@login/x", ERROR_UNAVAILABLE},
        {"https://login", "http://127.0.0.1:8080/x", OK},
        {"https://login", "http://localhost/x", OK},
        {"http://127.0.0.1:8080", "http://127.0.0.1:8080/x", OK},
        {"http://127.0.0.1:8080", "https://login/x", OK},
    };
    static const char *const names[] = {"authorization_endpoint", "device_authorization_endpoint"};
    struct asking *const asking = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases) * ARRAY_LEN(names); i++) {
        const char *const issuer = cases[i / 2].issuer;
        struct provider provider = {.issuer = issuer};

        fake_http_client_answer(
            asking->client,
            arena_format(&asking->arena, "%s/.well-known/openid-configuration", issuer), 200,
            arena_format(&asking->arena,
                         "{\"issuer\":\"%s\",\"token_endpoint\":\"https://login/t\",\"%s\":\"%s\"}",
                         issuer, names[i % 2], cases[i / 2].endpoint),
            -1);
        assert_int_equal(provider_discover(asking->client, &asking->arena, &provider, NULL),
                         cases[i / 2].code);
    }
}

static void a_registry_with_tls_has_nobody_log_in_without(void **state)
{
    struct asking *const asking = *state;
    struct provider provider;
    struct error err = {0};

    fake_http_client_answer(asking->client, about, 200,
                            "{\"methods\":[\"oauth2\"],\"issuer\":\"http://login\"}", -1);
    assert_int_equal(find(asking, &provider, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "without TLS"));
    fake_http_client_answer(asking->client, about, 200,
                            "{\"methods\":[\"oauth2\"],\"issuer\":\"http://[::1]:80\"}", -1);
    assert_int_equal(find(asking, &provider, NULL), OK);
}

/* A browser is started with one of them. */
static void only_web_addresses_are_addresses(void **state)
{
    struct asking *const asking = *state;
    struct provider provider = {.issuer = "https://login"};

    answer_discovery(asking, "https://login",
                     "\"authorization_endpoint\":\"--help\","
                     "\"device_authorization_endpoint\":\"file:///etc/passwd\","
                     "\"token_endpoint\":\"https://login/t\"");
    assert_int_equal(provider_discover(asking->client, &asking->arena, &provider, NULL), OK);
    assert_text(provider.authorization_url, NULL);
    assert_text(provider.device_url, NULL);
}

static void what_is_no_issuer_is_told(void **state)
{
    static const struct {
        int status;
        const char *body;
    } cases[] = {
        {0, ""},
        {200, ""},
        {200, "{}"},
        {200, "{\"token_endpoint\":\"\"}"},
        {200, "7"},
        {404, "{}"},
        {500, "{\"token_endpoint\":\"t\"}"},
    };
    struct asking *const asking = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct provider provider = {.issuer = "https://login"};
        struct error err = {0};

        fake_http_client_answer(asking->client, discovery, cases[i].status, cases[i].body, -1);
        assert_int_equal(provider_discover(asking->client, &asking->arena, &provider, &err),
                         ERROR_UNAVAILABLE);
        assert_true(err.message[0] != '\0');
    }
}

static const char url[] = "https://login.example.org/token";

static enum error_code ask(struct asking *asking, struct oauth_grant *grant, struct error *err)
{
    const struct oauth_request request = {.url = url, .form = STR_LITERAL("a=sesame")};

    return oauth_request_token(asking->client, &request, &asking->arena, grant, err);
}

static void grants_are_read(void **state)
{
    static const struct {
        const char *body;
        const char *refresh_token;
        int64_t lifetime_ms;
    } cases[] = {
        {"{\"access_token\":\"t\"}", "", 0},
        {"{\"access_token\":\"t\",\"refresh_token\":\"r\",\"expires_in\":60}", "r", 60000},
        {"{\"access_token\":\"t\",\"refresh_token\":null,\"expires_in\":\"60\"}", "", 60000},
        {"{\"access_token\":\"t\",\"refresh_token\":7,\"expires_in\":null}", "", 0},
        {"{\"access_token\":\"t\",\"expires_in\":3599.5}", "", 3599500},
        {"{\"access_token\":\"t\",\"expires_in\":0}", "", 0},
        {"{\"access_token\":\"t\",\"expires_in\":253402300799}", "", 253402300799000},
        {"{\"access_token\":\"t\",\"error\":\"ignored\"}", "", 0},
    };
    struct asking *const asking = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct oauth_grant grant = {.lifetime_ms = 5};

        fake_http_client_answer(asking->client, url, 200, cases[i].body, -1);
        assert_int_equal(ask(asking, &grant, NULL), OK);
        assert_string_equal(grant.access_token.bytes, "t");
        assert_true(str_is(grant.refresh_token, cases[i].refresh_token));
        assert_int_equal(grant.lifetime_ms, cases[i].lifetime_ms);
        assert_string_equal(grant.error, "");
    }
    assert_string_equal(fake_http_client_request(asking->client)->method, "POST");
    assert_string_equal(fake_http_client_request(asking->client)->body, "a=sesame");
    assert_string_equal(fake_http_client_request(asking->client)->content_type,
                        "application/x-www-form-urlencoded");
}

static void other_answers_are_refusals_or_failures(void **state)
{
    static const struct {
        int status; /* 0: no answer */
        const char *body;
        enum error_code code;
        const char *error;
        const char *told;
    } cases[] = {
        {0, "", ERROR_UNAVAILABLE, "", "nobody answers"},
        {200, "", ERROR_UNAVAILABLE, "", "the login server's answer is no JSON object"},
        {200, "{}", ERROR_UNAVAILABLE, "", "access_token"},
        {200, "[]", ERROR_UNAVAILABLE, "", "the login server's answer is no JSON object"},
        {200, "{\"access_token\":\"\"}", ERROR_UNAVAILABLE, "", "access_token"},
        {200, "{\"access_token\":5}", ERROR_UNAVAILABLE, "", "access_token"},
        {200, "{\"access_token\":\"t\",\"expires_in\":-1}", ERROR_UNAVAILABLE, "", "expires_in"},
        {200, "{\"access_token\":\"t\",\"expires_in\":\"NaN\"}", ERROR_UNAVAILABLE, "",
         "expires_in"},
        {200, "{\"access_token\":\"t\",\"expires_in\":\" 60\"}", ERROR_UNAVAILABLE, "",
         "expires_in"},
        {200, "{\"access_token\":\"t\",\"expires_in\":1e300}", ERROR_UNAVAILABLE, "", "expires_in"},
        {500, "{\"error\":\"x\"}", ERROR_UNAVAILABLE, "", "status 500"},
        {503, "", ERROR_UNAVAILABLE, "", "status 503"},
        {400, "", ERROR_UNAUTHENTICATED, "", "does not say why (status 400)"},
        {400, "<html>", ERROR_UNAUTHENTICATED, "", "does not say why"},
        {401, "{\"error\":7}", ERROR_UNAUTHENTICATED, "", "status 401"},
        {400, "{\"error\":\"invalid_grant\"}", ERROR_UNAUTHENTICATED, "invalid_grant",
         "invalid_grant (status 400)"},
        {403, "{\"error\":\"e\",\"error_description\":\"Not you\"}", ERROR_UNAUTHENTICATED, "e",
         "Not you (e)"},
        {302, "{\"access_token\":\"t\"}", ERROR_UNAUTHENTICATED, "", "status 302"},
    };
    struct asking *const asking = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct oauth_grant grant;
        struct error err = {0};

        fake_http_client_answer(asking->client, url, cases[i].status, cases[i].body, -1);
        assert_int_equal(ask(asking, &grant, &err), cases[i].code);
        assert_string_equal(grant.error, cases[i].error);
        assert_non_null(strstr(err.message, cases[i].told));
        assert_null(strstr(err.message, "sesame"));
    }
}

static void long_refusals_are_cut(void **state)
{
    struct asking *const asking = *state;
    struct oauth_grant grant;
    struct error err = {0};
    char text[1001];

    memset(text, 'e', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    fake_http_client_answer(
        asking->client, url, 400,
        arena_format(&asking->arena, "{\"error\":\"%s\",\"error_description\":\"%s\"}", text, text),
        -1);
    assert_int_equal(ask(asking, &grant, &err), ERROR_UNAUTHENTICATED);
    assert_int_equal(strlen(grant.error), OAUTH_ERROR_BYTES - 1);
    assert_true(strlen(err.message) < 400);
}

static void a_refresh_keeps_what_is_not_replaced(void **state)
{
    static const struct oauth_refresh refresh = {
        .token_url = STR_LITERAL("https://login.example.org/token"),
        .client_id = STR_LITERAL("c"),
        .refresh_token = STR_LITERAL("old&token"),
    };
    struct asking *const asking = *state;
    struct oauth_grant grant;

    fake_http_client_answer(asking->client, url, 200, "{\"access_token\":\"t\"}", -1);
    assert_int_equal(oauth_refresh(asking->client, &refresh, &asking->arena, &grant, NULL), OK);
    assert_true(str_is(grant.refresh_token, "old&token"));
    assert_string_equal(fake_http_client_request(asking->client)->body,
                        "grant_type=refresh_token&refresh_token=old%26token&client_id=c");
    fake_http_client_answer(asking->client, url, 200,
                            "{\"access_token\":\"t\",\"refresh_token\":\"new\"}", -1);
    assert_int_equal(oauth_refresh(asking->client, &refresh, &asking->arena, &grant, NULL), OK);
    assert_true(str_is(grant.refresh_token, "new"));
    fake_http_client_answer(asking->client, url, 400, "{}", -1);
    assert_int_equal(oauth_refresh(asking->client, &refresh, &asking->arena, &grant, NULL),
                     ERROR_UNAUTHENTICATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_registry_says_how_one_logs_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_port_that_cannot_be_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_registry_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(scopes_have_a_highest_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_issuer_says_where, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_document_of_another_issuer_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_is_sent_from_https_to_http, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_registry_with_tls_has_nobody_log_in_without, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(only_web_addresses_are_addresses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_issuer_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(grants_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_answers_are_refusals_or_failures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_refusals_are_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refresh_keeps_what_is_not_replaced, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
