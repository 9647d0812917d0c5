#include "cli/oauth.h"

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

static const char url[] = "https://login.example.org/token";

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
        {200, "", ERROR_UNAVAILABLE, "", "access_token"},
        {200, "{}", ERROR_UNAVAILABLE, "", "access_token"},
        {200, "[]", ERROR_UNAVAILABLE, "", "access_token"},
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
        cmocka_unit_test_setup_teardown(grants_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_answers_are_refusals_or_failures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_refusals_are_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refresh_keeps_what_is_not_replaced, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
