#include "cli/oauth.h"

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

static void answers_of_a_token_endpoint_are_understood(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum error_code code;
        const char *token;
        const char *error;
        int64_t expires_in_s;
    } rows[] = {
        {200, "{\"access_token\":\"t\",\"expires_in\":60}", OK, "t", "", 60},
        {200, "{\"access_token\":\"t\",\"expires_in\":\"60\"}", OK, "t", "", 0},
        {200, "{\"access_token\":\"t\",\"expires_in\":99999999999}", OK, "t", "", 0},
        {200, "{}", ERROR_UNAVAILABLE, "", "", 0},
        {200, "<html>", ERROR_UNAVAILABLE, "", "", 0},
        {400, "{\"error\":\"invalid_grant\"}", ERROR_UNAUTHENTICATED, "", "invalid_grant", 0},
        {400, "{\"error\":\"authorization_pending\",\"error_description\":\"wait\"}",
         ERROR_UNAUTHENTICATED, "", "authorization_pending", 0},
        {403, "", ERROR_UNAUTHENTICATED, "", "", 0},
        {302, "", ERROR_UNAUTHENTICATED, "", "", 0},
        {500, "{\"error\":\"server_error\"}", ERROR_UNAVAILABLE, "", "", 0},
        {0, "", ERROR_UNAVAILABLE, "", "", 0},
    };
    struct http_client *client = fake_http_client_new();
    const struct oauth_request request = {.url = "https://x/token", .form = str_from("a=b")};
    struct arena arena;

    (void)state;
    arena_init(&arena, ARENA_BYTES);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct oauth_grant grant = {0};

        fake_http_client_answer(client, "https://x/token", rows[i].status, rows[i].body, -1);
        if (oauth_request_token(client, &request, &arena, &grant, NULL) != rows[i].code) {
            fail_msg("row %zu", i);
        }
        assert_true(str_is(grant.access_token, rows[i].token));
        assert_string_equal(grant.error, rows[i].error);
        assert_int_equal(grant.expires_in_s, rows[i].expires_in_s);
    }
    assert_string_equal(fake_http_client_request(client)->method, "POST");
    assert_string_equal(fake_http_client_request(client)->content_type,
                        "application/x-www-form-urlencoded");
    http_client_free(client);
    arena_release(&arena);
}

static void refreshing_keeps_the_old_token_unless_there_is_a_new_one(void **state)
{
    struct http_client *client = fake_http_client_new();
    const struct oauth_refresh refresh = {str_from("https://x/token"), str_from("pierone"),
                                          str_from("old&1")};
    struct oauth_grant grant = {0};
    struct arena arena;

    (void)state;
    arena_init(&arena, ARENA_BYTES);
    fake_http_client_answer(client, "https://x/token", 200, "{\"access_token\":\"t\"}", -1);
    assert_int_equal(oauth_refresh(client, &refresh, &arena, &grant, NULL), OK);
    assert_true(str_is(grant.refresh_token, "old&1"));
    assert_string_equal(fake_http_client_request(client)->body,
                        "grant_type=refresh_token&refresh_token=old%261&client_id=pierone");
    fake_http_client_answer(client, "https://x/token", 200,
                            "{\"access_token\":\"t\",\"refresh_token\":\"new\"}", -1);
    assert_int_equal(oauth_refresh(client, &refresh, &arena, &grant, NULL), OK);
    assert_true(str_is(grant.refresh_token, "new"));
    http_client_free(client);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest oauth[] = {
        cmocka_unit_test(answers_of_a_token_endpoint_are_understood),
        cmocka_unit_test(refreshing_keeps_the_old_token_unless_there_is_a_new_one),
    };

    return cmocka_run_group_tests(oauth, NULL, NULL);
}
