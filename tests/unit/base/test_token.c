#include "base/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

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

static const struct {
    const char *text;
    const char *bytes;
} pairs[] = {
    /* RFC 4648 10, without padding */
    {"", ""},
    {"Zg", "f"},
    {"Zm8", "fo"},
    {"Zm9v", "foo"},
    {"Zm9vYg", "foob"},
    {"Zm9vYmE", "fooba"},
    {"Zm9vYmFy", "foobar"},
    /* both characters that differ from plain base64 */
    {"-_8", "\xfb\xff"},
};

static void known_values_are_encoded_and_decoded(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        const struct str bytes = str_from(pairs[i].bytes);
        uint8_t decoded[16];
        struct strbuf text;

        strbuf_init(&text, 64);
        base64url_encode(bytes, &text);
        assert_string_equal(text.text, pairs[i].text);
        assert_int_equal(base64url_decode(str_from(pairs[i].text), decoded), bytes.length);
        assert_memory_equal(decoded, bytes.bytes, bytes.length);
        strbuf_release(&text);
    }
}

static void other_forms_are_refused(void **state)
{
    static const char *const refused[] = {
        "Z",  "Zg==", "Zg=",    "Zh",       "Zm9", "Zm9vZ", "+/8", "Zg\n", " Zg",
        "Z.", "A===", "Zm9vYh", "\xff\xff", "Z_9", "Zm8=",  "=",   "Zm 8",
    };
    uint8_t decoded[16];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        assert_int_equal(base64url_decode(str_from(refused[i]), decoded), BASE64URL_NOT);
    }
    assert_int_equal(base64url_decode((struct str){"Zg\0", 3}, decoded), BASE64URL_NOT);
}

/* RFC 4648 10, and both characters that the URL alphabet has not. */
static void the_usual_alphabet_is_padded(void **state)
{
    static const struct {
        struct str bytes;
        const char *text;
    } cases[] = {
        {STR_LITERAL(""), ""},
        {STR_LITERAL("f"), "Zg=="},
        {STR_LITERAL("fo"), "Zm8="},
        {STR_LITERAL("foo"), "Zm9v"},
        {STR_LITERAL("foob"), "Zm9vYg=="},
        {STR_LITERAL("fooba"), "Zm9vYmE="},
        {STR_LITERAL("foobar"), "Zm9vYmFy"},
        {STR_LITERAL("oauth2:a.b"), "b2F1dGgyOmEuYg=="},
        {STR_LITERAL("\0"), "AA=="},
        {STR_LITERAL("\xff\xff\xfe"), "///+"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct strbuf text;

        strbuf_init(&text, 100);
        strbuf_append_text(&text, ">");
        base64_encode(cases[i].bytes, &text);
        assert_int_equal(text.text[0], '>');
        assert_string_equal(text.text + 1, cases[i].text);
        strbuf_release(&text);
    }
}

static void all_lengths_go_there_and_back_within_the_promised_room(void **state)
{
    char bytes[100];

    (void)state;
    random_fill(bytes, sizeof(bytes));
    for (size_t length = 0; length <= sizeof(bytes); length++) {
        uint8_t *decoded = NULL;
        struct strbuf text;

        strbuf_init(&text, 200);
        base64url_encode((struct str){bytes, length}, &text);
        decoded = malloc(BASE64URL_DECODED_BYTES(text.length));
        assert_int_equal(base64url_decode(strbuf_str(&text), decoded), length);
        assert_memory_equal(decoded, bytes, length);
        free(decoded);
        strbuf_release(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_in_each_form_that_providers_use),
        cmocka_unit_test(numbers_that_cannot_be_are_no_json),
        cmocka_unit_test(the_end_of_a_jwt_is_told_without_its_key),
        cmocka_unit_test(what_is_too_long_is_not_looked_into),
        cmocka_unit_test(only_an_object_is_a_part),
        cmocka_unit_test(known_values_are_encoded_and_decoded),
        cmocka_unit_test(other_forms_are_refused),
        cmocka_unit_test(the_usual_alphabet_is_padded),
        cmocka_unit_test(all_lengths_go_there_and_back_within_the_promised_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
