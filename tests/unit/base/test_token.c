#include "base/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64url.h"

enum { TEXT_MAX_BYTES = 128 * 1024 };

static const struct {
    const char *json;
    enum token_time told;
    int64_t time_ms;
} rows[] = {
    {"{}", TOKEN_TIME_ABSENT, 0},
    {"[]", TOKEN_TIME_ABSENT, 0},
    {"{\"exp\":null}", TOKEN_TIME_ABSENT, 0},
    {"{\"exp\":0}", TOKEN_TIME_TOLD, 0},
    {"{\"exp\":1431013791}", TOKEN_TIME_TOLD, 1431013791000},
    {"{\"exp\":1431013791.0}", TOKEN_TIME_TOLD, 1431013791000},
    {"{\"exp\":1431013791.25}", TOKEN_TIME_TOLD, 1431013791250},
    {"{\"exp\":1.431013791e9}", TOKEN_TIME_TOLD, 1431013791000},
    {"{\"exp\":0.5}", TOKEN_TIME_TOLD, 500},
    {"{\"exp\":-0.0}", TOKEN_TIME_TOLD, 0},
    {"{\"exp\":253402300799}", TOKEN_TIME_TOLD, 253402300799000},
    {"{\"exp\":\"3600\"}", TOKEN_TIME_TOLD, 3600000},
    {"{\"exp\":\"3600.25\"}", TOKEN_TIME_TOLD, 3600250},
    {"{\"exp\":\"0.1234567\"}", TOKEN_TIME_TOLD, 123},
    {"{\"exp\":\"253402300799.9\"}", TOKEN_TIME_TOLD, 253402300799900},
    {"{\"exp\":-1}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":-0.5}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":253402300800}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":1431013791230}", TOKEN_TIME_WRONG, 0}, /* milliseconds */
    {"{\"exp\":9223372036854775807}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":1e300}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":\"\"}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":\"-1\"}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":\"+1\"}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":\" 1\"}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":\"1 \"}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":\"1.\"}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":\".5\"}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":\"1.5.5\"}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":\"1.-5\"}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":\"1e3\"}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":\"0x10\"}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":\"1,5\"}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":\"NaN\"}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":\"Infinity\"}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":\"1e400\"}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":\"253402300800\"}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":\"18446744073709551617\"}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":\"never\"}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":true}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":[1]}", TOKEN_TIME_WRONG, 0},
    {"{\"exp\":{}}", TOKEN_TIME_WRONG, 0},
};

static void times_are_read_in_each_form_that_providers_use(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct json_value *json = NULL;
        int64_t time_ms = 77;

        assert_int_equal(json_value_parse(str_from(rows[i].json), &json, NULL), OK);
        assert_int_equal(token_read_time(json, "exp", &time_ms), rows[i].told);
        assert_true(time_ms == (rows[i].told == TOKEN_TIME_TOLD ? rows[i].time_ms : 77));
        json_value_free(json);
    }
}

/* JSON itself has no such numbers, or none that fit. */
static void numbers_that_cannot_be_are_no_json(void **state)
{
    static const char *const texts[] = {"{\"exp\":1e400}", "{\"exp\":NaN}", "{\"exp\":Infinity}",
                                        "{\"exp\":18446744073709551617}", "{\"exp\":01}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct json_value *json = NULL;

        assert_int_equal(json_value_parse(str_from(texts[i]), &json, NULL), ERROR_INVALID);
    }
}

static void the_end_of_a_jwt_is_told_without_its_key(void **state)
{
    static const struct {
        const char *before;
        const char *claims; /* NULL: the part stands as it is in `before` */
        const char *after;
        bool is_told;
    } tokens[] = {
        {"e30.", "{\"exp\":1431013791.5}", ".sig", true},
        {"e30.", "{\"exp\":\"1431013791.5\"}", ".", true},
        {"e30.", "{\"exp\":-1}", ".sig", false},
        {"e30.", "{}", ".sig", false},
        {"e30.", "[1]", ".sig", false},
        {"e30.", "{\"exp\":1431013791.5}", "", false},
        {"e30.", "{\"exp\":1431013791.5}", ".a.b", false}, /* encrypted: five parts */
        {"", "{\"exp\":1431013791.5}", "", false},
        {"e30.!!!.sig", NULL, "", false},
        {"opaque", NULL, "", false},
        {"", NULL, "", false},
        {"..", NULL, "", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
        struct strbuf token;
        int64_t expires_ms = 77;

        strbuf_init(&token, TEXT_MAX_BYTES);
        strbuf_append_text(&token, tokens[i].before);
        if (tokens[i].claims) {
            base64url_encode(str_from(tokens[i].claims), &token);
        }
        strbuf_append_text(&token, tokens[i].after);
        assert_int_equal(token_peek_expiry(strbuf_str(&token), &expires_ms), tokens[i].is_told);
        assert_true(expires_ms == (tokens[i].is_told ? 1431013791500 : 77));
        strbuf_release(&token);
    }
}

static void what_is_too_long_is_not_looked_into(void **state)
{
    struct strbuf token;
    int64_t expires_ms = 0;

    (void)state;
    strbuf_init(&token, TEXT_MAX_BYTES);
    strbuf_append_text(&token, "e30.eyJleHAiOjF9."); /* {"exp":1} */
    assert_true(token_peek_expiry(strbuf_str(&token), &expires_ms));
    while (token.length <= 64U * 1024U) {
        strbuf_append_byte(&token, 'x');
    }
    assert_false(token_peek_expiry(strbuf_str(&token), &expires_ms));
    strbuf_release(&token);
}

static void only_an_object_is_a_part(void **state)
{
    struct json_value *part = token_decode_part(str_from("eyJleHAiOjF9"));

    (void)state;
    assert_true(json_value_is_object(part));
    json_value_free(part);
    assert_null(token_decode_part(str_from("")));
    assert_null(token_decode_part(str_from("WzFd"))); /* [1] */
    assert_null(token_decode_part(str_from("eyJleHAiOjF9=")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_in_each_form_that_providers_use),
        cmocka_unit_test(numbers_that_cannot_be_are_no_json),
        cmocka_unit_test(the_end_of_a_jwt_is_told_without_its_key),
        cmocka_unit_test(what_is_too_long_is_not_looked_into),
        cmocka_unit_test(only_an_object_is_a_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
