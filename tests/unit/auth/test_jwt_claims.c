#include "auth/jwt_claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t now_ms = 1431013791230; /* 2015-05-07T15:49:51.230Z */

static const struct {
    const char *claims;
    const char *audience;
    const char *message; /* NULL: accepted; leeway is 30 s */
} rows[] = {
    {"{\"iss\":\"https://a\",\"exp\":1431013800}", NULL, NULL},
    {"{\"iss\":\"https://a\",\"exp\":1431013800.75}", NULL, NULL},
    {"{\"iss\":\"https://a\",\"exp\":\"1431013800\"}", NULL, NULL},
    {"{\"iss\":\"https://a\",\"exp\":253402300799}", NULL, NULL},
    {"{\"iss\":\"https://a\",\"exp\":253402300800}", NULL,
     "the token's 'exp' is no date in seconds"},
    {"{\"iss\":\"https://a\",\"exp\":9223372036854775807}", NULL,
     "the token's 'exp' is no date in seconds"},
    {"{\"iss\":\"https://a\",\"exp\":1431013761.229}", NULL,
     "the token expired at 2015-05-07T15:49:21.229Z"},
    {"{\"iss\":\"https://a\",\"exp\":1431013762}", NULL, NULL},
    {"{\"iss\":\"https://a\",\"exp\":1431013761}", NULL,
     "the token expired at 2015-05-07T15:49:21.000Z"},
    {"{\"iss\":\"https://a\",\"exp\":0}", NULL, "the token expired at 1970-01-01T00:00:00.000Z"},
    {"{\"iss\":\"https://a\"}", NULL, "the token's 'exp' is missing"},
    {"{\"iss\":\"https://a\",\"exp\":null}", NULL, "the token's 'exp' is missing"},
    {"{\"iss\":\"https://a\",\"exp\":\"soon\"}", NULL, "the token's 'exp' is no date in seconds"},
    {"{\"iss\":\"https://a\",\"exp\":-1}", NULL, "the token's 'exp' is no date in seconds"},
    {"{\"iss\":\"https://a\",\"exp\":1431013800,\"nbf\":1431013821}", NULL, NULL},
    {"{\"iss\":\"https://a\",\"exp\":1431013800,\"nbf\":1431013822}", NULL,
     "the token is not valid before 2015-05-07T15:50:22.000Z"},
    {"{\"iss\":\"https://a\",\"exp\":1431013800,\"nbf\":null}", NULL, NULL},
    {"{\"iss\":\"https://a\",\"exp\":1431013800,\"nbf\":\"1431013821.23\"}", NULL, NULL},
    {"{\"iss\":\"https://a\",\"exp\":1431013800,\"nbf\":1431013821.25}", NULL,
     "the token is not valid before 2015-05-07T15:50:21.250Z"},
    {"{\"iss\":\"https://a\",\"exp\":1431013800,\"nbf\":9223372036854775807}", NULL,
     "the token's 'nbf' is no date in seconds"},
    {"{\"iss\":\"https://a\",\"exp\":1431013800,\"nbf\":\"soon\"}", NULL,
     "the token's 'nbf' is no date in seconds"},
    {"{\"iss\":\"https://a/\",\"exp\":1431013800}", NULL,
     "the token is by 'https://a/', not by https://a"},
    {"{\"iss\":[\"https://a\"],\"exp\":1431013800}", NULL, "the token is by '', not by https://a"},
    {"{\"exp\":1431013800}", NULL, "the token is by '', not by https://a"},
    {"{\"iss\":\"b\\n\\u001bc\",\"exp\":1431013800}", NULL,
     "the token is by 'b', not by https://a"},
    {"{\"iss\":\"https://a\",\"exp\":1431013800,\"aud\":\"pierone\"}", "pierone", NULL},
    {"{\"iss\":\"https://a\",\"exp\":1431013800,\"aud\":[\"x\",\"pierone\"]}", "pierone", NULL},
    {"{\"iss\":\"https://a\",\"exp\":1431013800,\"aud\":\"other\"}", NULL, NULL},
    {"{\"iss\":\"https://a\",\"exp\":1431013800,\"aud\":\"other\"}", "pierone",
     "the token is for audience 'other', not for 'pierone'"},
    {"{\"iss\":\"https://a\",\"exp\":1431013800,\"aud\":[\"x\",\"y\"]}", "pierone",
     "the token is for audience 'x', not for 'pierone'"},
    {"{\"iss\":\"https://a\",\"exp\":1431013800,\"aud\":\"pierone2\"}", "pierone",
     "the token is for audience 'pierone2', not for 'pierone'"},
    {"{\"iss\":\"https://a\",\"exp\":1431013800,\"aud\":{\"pierone\":1}}", "pierone",
     "the token is for no audience, not for 'pierone'"},
    {"{\"iss\":\"https://a\",\"exp\":1431013800,\"aud\":[]}", "pierone",
     "the token is for no audience, not for 'pierone'"},
    {"{\"iss\":\"https://a\",\"exp\":1431013800}", "pierone",
     "the token is for no audience, not for 'pierone'"},
};

static void claims_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct jwt_rules rules = {
            .issuer = "https://a",
            .audience = rows[i].audience,
            .now_ms = now_ms,
            .leeway_ms = 30000,
        };
        struct json_value *claims = NULL;
        struct jwt jwt = {0};
        struct error err = {0};
        enum error_code code;

        assert_int_equal(json_value_parse(str_from(rows[i].claims), &claims, NULL), OK);
        jwt.claims = claims;
        code = jwt_check_claims(&jwt, &rules, &err);
        assert_string_equal(err.message, rows[i].message ? rows[i].message : "");
        assert_int_equal(code, rows[i].message ? ERROR_UNAUTHENTICATED : OK);
        json_value_free(claims);
    }
}

static void expiry_is_told(void **state)
{
    static const struct {
        const char *claims;
        int64_t expires_ms;
    } times[] = {
        {"{\"exp\":1431013800}", 1431013800000},
        {"{\"exp\":1431013800.5}", 1431013800500},
        {"{\"exp\":9223372036854775807}", 0},
        {"{\"exp\":\"x\"}", 0},
        {"{}", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        struct json_value *claims = NULL;
        struct jwt jwt = {0};

        assert_int_equal(json_value_parse(str_from(times[i].claims), &claims, NULL), OK);
        jwt.claims = claims;
        assert_true(jwt_expires_ms(&jwt) == times[i].expires_ms);
        json_value_free(claims);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_are_judged),
        cmocka_unit_test(expiry_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
