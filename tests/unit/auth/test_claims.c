#include "auth/claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct claim_names usual = {
    .name = "uid sub",
    .realm = "realm",
    .scope = "scope scp",
    .team = "teams groups",
};

static enum error_code read_with(const char *text, const struct claim_names *names,
                                 struct identity **identity_out, struct error *err)
{
    struct json_value *json = NULL;
    enum error_code code = OK;

    assert_int_equal(json_value_parse(str_from(text), &json, NULL), OK);
    code = claims_read(json, names, 77, identity_out, err);
    json_value_free(json);
    return code;
}

static struct identity *read_usual(const char *text)
{
    struct identity *identity = NULL;

    assert_int_equal(read_with(text, &usual, &identity, NULL), OK);
    return identity;
}

static void names_and_lists_are_read(void **state)
{
    static const struct {
        const char *claims;
        const char *name;
        const char *scopes;
        const char *teams;
    } rows[] = {
        {"{\"uid\":\"jdoe\",\"sub\":\"17\"}", "jdoe", "", ""},
        {"{\"sub\":\"17\"}", "17", "", ""},
        {"{\"sub\":\"a\",\"scope\":\"uid  x.y\"}", "a", "uid\nx.y\n", ""},
        {"{\"sub\":\"a\",\"scope\":[\"uid\",\"x.y\"]}", "a", "uid\nx.y\n", ""},
        {"{\"sub\":\"a\",\"scp\":[\"uid\"]}", "a", "uid\n", ""},
        {"{\"sub\":\"a\",\"scope\":\"one\",\"scp\":[\"two\"]}", "a", "one\n", ""},
        {"{\"sub\":\"a\",\"groups\":[\"my team\",\"b\"]}", "a", "", "my team\nb\n"},
        {"{\"sub\":\"a\",\"teams\":\"x y\",\"groups\":\"z\"}", "a", "", "x\ny\n"},
        /* What could pass for another entry is none. */
        {"{\"sub\":\"a\",\"teams\":[\"x\\ny\",\"\",7,null,[\"z\"],\"b\"]}", "a", "", "b\n"},
        {"{\"sub\":\"a\",\"scope\":{\"application.write_all\":true}}", "a", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct identity *identity = read_usual(rows[i].claims);

        assert_true(str_is(identity->name, rows[i].name));
        assert_true(str_is(identity->scopes, rows[i].scopes));
        assert_true(str_is(identity->teams, rows[i].teams));
        assert_int_equal(identity->expires_ms, 77);
        assert_false(identity->is_limited);
        identity_release(identity);
    }
}

static void kinds_are_told_apart(void **state)
{
    static const struct {
        const char *claims;
        const char *service;
        enum identity_kind kind;
    } rows[] = {
        {"{\"sub\":\"a\",\"realm\":\"/employees\"}", NULL, IDENTITY_EMPLOYEE},
        {"{\"sub\":\"a\",\"realm\":\"employees\"}", NULL, IDENTITY_EMPLOYEE},
        {"{\"sub\":\"a\",\"realm\":\"/services\"}", NULL, IDENTITY_SERVICE},
        {"{\"sub\":\"a\",\"realm\":\"services\"}", NULL, IDENTITY_SERVICE},
        {"{\"sub\":\"a\",\"realm\":\"/customers\"}", NULL, IDENTITY_UNKNOWN},
        {"{\"sub\":\"a\",\"realm\":\"//employees\"}", NULL, IDENTITY_UNKNOWN},
        {"{\"sub\":\"a\",\"realm\":\"Employees\"}", NULL, IDENTITY_UNKNOWN},
        {"{\"sub\":\"a\",\"realm\":\"/customers\",\"client_id\":\"a\"}", NULL, IDENTITY_UNKNOWN},
        {"{\"sub\":\"a\",\"client_id\":\"b\",\"realm\":[\"/services\"]}", NULL, IDENTITY_UNKNOWN},
        {"{\"sub\":\"a\",\"client_id\":\"b\",\"realm\":\"\"}", NULL, IDENTITY_UNKNOWN},
        {"{\"sub\":\"a\",\"client_id\":\"b\",\"realm\":null}", NULL, IDENTITY_UNKNOWN},
        {"{\"sub\":\"a\",\"realm\":{}}", "gty=x", IDENTITY_UNKNOWN},
        {"{\"sub\":\"a\"}", NULL, IDENTITY_UNKNOWN},
        {"{\"uid\":\"a\",\"client_id\":\"a\"}", NULL, IDENTITY_UNKNOWN},
        {"{\"sub\":\"a\",\"client_id\":\"a\"}", NULL, IDENTITY_SERVICE},
        {"{\"sub\":\"a\",\"client_id\":\"b\"}", NULL, IDENTITY_EMPLOYEE},
        {"{\"sub\":\"a\",\"gty\":\"client-credentials\"}", "gty=client-credentials",
         IDENTITY_SERVICE},
        {"{\"sub\":\"a\",\"gty\":[\"x\",\"client-credentials\"]}", "gty=client-credentials",
         IDENTITY_SERVICE},
        {"{\"sub\":\"a\",\"gty\":\"password\"}", "gty=client-credentials", IDENTITY_EMPLOYEE},
        {"{\"sub\":\"a\",\"client_id\":\"a\"}", "gty=client-credentials", IDENTITY_EMPLOYEE},
        {"{\"sub\":\"a\",\"realm\":\"/customers\"}", "gty=x", IDENTITY_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct claim_names names = usual;
        struct identity *identity = NULL;

        names.service = rows[i].service;
        assert_int_equal(read_with(rows[i].claims, &names, &identity, NULL), OK);
        assert_int_equal(identity->kind, rows[i].kind);
        identity_release(identity);
    }
}

static void who_is_not_named_is_denied(void **state)
{
    static const char *const rows[] = {
        "{}",
        "{\"uid\":\"\"}",
        "{\"uid\":7}",
        "{\"uid\":[\"jdoe\"]}",
        "{\"name\":\"jdoe\"}",
        "{\"uid\":\"j\\ndoe\"}",
        "{\"uid\":\"j\\u007fdoe\"}",
    };
    struct identity *identity = NULL;
    char text[IDENTITY_NAME_BYTES + 32];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct error err = {0};

        assert_int_equal(read_with(rows[i], &usual, &identity, &err), ERROR_DENIED);
        assert_non_null(strstr(err.message, "(uid sub)"));
    }
    (void)snprintf(text, sizeof(text), "{\"uid\":\"%0*d\"}", IDENTITY_NAME_BYTES, 1);
    assert_int_equal(read_with(text, &usual, &identity, NULL), OK);
    identity_release(identity);
    (void)snprintf(text, sizeof(text), "{\"uid\":\"%0*d\"}", IDENTITY_NAME_BYTES + 1, 1);
    assert_int_equal(read_with(text, &usual, &identity, NULL), ERROR_DENIED);
}

static void a_list_that_is_too_long_grants_nothing(void **state)
{
    struct strbuf text;
    struct identity *identity = NULL;

    (void)state;
    strbuf_init(&text, 2 * (size_t)IDENTITY_LIST_BYTES);
    strbuf_append_text(&text, "{\"sub\":\"a\",\"teams\":\"acme");
    while (text.length < IDENTITY_LIST_BYTES + 100) {
        strbuf_append_text(&text, " acme");
    }
    strbuf_append_text(&text, "\"}");
    identity = read_usual(text.text);
    assert_int_equal(identity->teams.length, 0);
    identity_release(identity);
    strbuf_release(&text);
}

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
        const struct claim_rules rules = {
            .issuer = "https://a",
            .audience = rows[i].audience,
            .now_ms = now_ms,
            .leeway_ms = 30000,
        };
        struct json_value *claims = NULL;
        struct error err = {0};
        enum error_code code;

        assert_int_equal(json_value_parse(str_from(rows[i].claims), &claims, NULL), OK);
        code = claims_check(claims, &rules, &err);
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

        assert_int_equal(json_value_parse(str_from(times[i].claims), &claims, NULL), OK);
        assert_true(claims_expires_ms(claims) == times[i].expires_ms);
        json_value_free(claims);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_lists_are_read),
        cmocka_unit_test(kinds_are_told_apart),
        cmocka_unit_test(who_is_not_named_is_denied),
        cmocka_unit_test(a_list_that_is_too_long_grants_nothing),
        cmocka_unit_test(claims_are_judged),
        cmocka_unit_test(expiry_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
