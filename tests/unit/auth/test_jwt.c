#include "auth/jwt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/token.h"
#include "tests/support/token_maker.h"

enum { TEXT_MAX_BYTES = 256 * 1024 };

static const char good_claims[] = "{\"iss\":\"https://issuer.example\",\"sub\":\"jdoe\"}";

/* The signature does not matter here. */
static void build(const char *header, const char *claims, const char *signature,
                  struct strbuf *text)
{
    strbuf_init(text, TEXT_MAX_BYTES);
    token_append_unsigned(str_from(header), str_from(claims), text);
    strbuf_append_format(text, ".%s", signature);
}

static void parts_are_read(void **state)
{
    struct strbuf text;
    struct jwt jwt = {0};

    (void)state;
    build("{\"alg\":\"PS384\",\"kid\":\"a key\",\"typ\":\"JWT\"}", good_claims, "Zm9v", &text);
    assert_int_equal(jwt_parse(strbuf_str(&text), &jwt, NULL), OK);
    assert_int_equal(jwt.algorithm, JWT_PS384);
    assert_true(str_is(jwt.key_id, "a key"));
    assert_true(str_is(jwt.signature, "foo"));
    assert_true(str_equal(jwt.text, strbuf_str(&text)));
    assert_int_equal(jwt.signing_input.length, text.length - strlen(".Zm9v"));
    assert_true(str_is(json_value_member_string(jwt.claims, "sub"), "jdoe"));
    jwt_release(&jwt);
    jwt_release(&jwt);
    strbuf_release(&text);
}

static const struct {
    const char *header;
    bool is_accepted;
} headers[] = {
    {"{\"alg\":\"RS256\"}", true},
    {"{\"alg\":\"RS384\"}", true},
    {"{\"alg\":\"RS512\"}", true},
    {"{\"alg\":\"PS256\"}", true},
    {"{\"alg\":\"PS512\"}", true},
    {"{\"alg\":\"ES256\"}", true},
    {"{\"alg\":\"ES384\"}", true},
    {"{\"alg\":\"ES512\"}", true},
    {"{\"alg\":\"none\"}", false},
    {"{\"alg\":\"None\"}", false},
    {"{\"alg\":\"\"}", false},
    {"{\"alg\":\"HS256\"}", false},
    {"{\"alg\":\"HS384\"}", false},
    {"{\"alg\":\"HS512\"}", false},
    {"{\"alg\":\"rs256\"}", false},
    {"{\"alg\":\"RS256 \"}", false},
    {"{\"alg\":\"ES256K\"}", false},
    {"{\"alg\":\"EdDSA\"}", false},
    {"{\"alg\":[\"RS256\"]}", false},
    {"{\"alg\":256}", false},
    {"{}", false},
    {"{\"alg\":\"none\",\"alg\":\"RS256\"}", false},
    {"{\"alg\":\"RS256\",\"alg\":\"RS256\"}", false},
    {"{\"alg\":\"RS256\",\"typ\":\"JWT\"}", true},
    {"{\"alg\":\"RS256\",\"typ\":\"jwt\"}", true},
    {"{\"alg\":\"RS256\",\"typ\":\"at+jwt\"}", true},
    {"{\"alg\":\"RS256\",\"typ\":\"AT+JWT\"}", true},
    {"{\"alg\":\"RS256\",\"typ\":\"application/at+jwt\"}", true},
    {"{\"alg\":\"RS256\",\"typ\":\"Application/JWT\"}", true},
    {"{\"alg\":\"RS256\",\"typ\":\"application/\"}", false},
    {"{\"alg\":\"RS256\",\"typ\":\"\"}", false},
    {"{\"alg\":\"RS256\",\"typ\":\"JWTs\"}", false},
    {"{\"alg\":\"RS256\",\"typ\":\"logout+jwt\"}", false},
    {"{\"alg\":\"RS256\",\"typ\":\"JOSE\"}", false},
    {"{\"alg\":\"RS256\",\"typ\":null}", false},
    {"{\"alg\":\"RS256\",\"crit\":[\"exp\"]}", false},
    {"{\"alg\":\"RS256\",\"crit\":null}", false},
    {"{\"alg\":\"RS256\",\"b64\":true}", false},
    {"{\"alg\":\"RS256\",\"zip\":\"DEF\"}", false},
    {"{\"alg\":\"RS256\",\"enc\":\"A128GCM\"}", false},
    {"{\"alg\":\"RS256\",\"kid\":7}", false},
    {"{\"alg\":\"RS256\",\"kid\":null}", false},
    {"{\"alg\":\"RS256\",\"jwk\":{\"kty\":\"oct\"},\"jku\":\"http://a/\",\"x5u\":\"\"}", true},
    {" {\"alg\":\"RS256\"} ", true},
    {"{\"alg\":\"RS256\"}x", false},
    {"{\"alg\":\"RS256\"}{}", false},
    {"[\"RS256\"]", false},
    {"\"RS256\"", false},
    {"", false},
};

static void headers_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        struct jwt jwt = {0};
        struct error err = {0};
        struct strbuf text;
        enum error_code code;

        build(headers[i].header, good_claims, "Zm9v", &text);
        code = jwt_parse(strbuf_str(&text), &jwt, &err);
        if (code != (headers[i].is_accepted ? OK : ERROR_UNAUTHENTICATED)) {
            fail_msg("%s: %s", headers[i].header, err.message);
        }
        assert_int_equal(code == OK, err.message[0] == '\0');
        jwt_release(&jwt);
        strbuf_release(&text);
    }
}

static void claims_must_be_one_object(void **state)
{
    static const char *const refused[] = {
        "",
        "[]",
        "7",
        "null",
        "\"a\"",
        "{",
        "{}{}",
        "{\"iss\":\"a\",\"iss\":\"b\"}",
        "{\"a\":\"\xff\"}",
        "{\"a\":\"\\u0000\"}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct jwt jwt = {0};
        struct error err = {0};
        struct strbuf text;

        build("{\"alg\":\"RS256\"}", refused[i], "Zm9v", &text);
        assert_int_equal(jwt_parse(strbuf_str(&text), &jwt, &err), ERROR_UNAUTHENTICATED);
        assert_non_null(strstr(err.message, "claims"));
        strbuf_release(&text);
    }
}

/* H stands for a good header, C for good claims. */
static const char *const shapes[] = {
    "",
    "H",
    "H.C",
    "H.C.",
    ".C.Zm9v",
    "H..Zm9v",
    "H.C.Zm9v.",
    "..",
    "...",
    "H.C.Zm9v.Zm9v.Zm9v",
    "H.C.Zm9v=",
    "H.C.Zm9v\n",
    " H.C.Zm9v",
    "H=.C.Zm9v",
    "H.C=.Zm9v",
    "H.C.Zh",
    "H.C.Z",
    "H.C.+/8",
    "Bearer H.C.Zm9v",
    "H.C.Zm9v x",
    "H.CA.Zm9v",
    "HA.C.Zm9v",
    "H.C.Zm9v%3D",
};

static void append_shape(const char *shape, struct strbuf *text)
{
    struct strbuf whole;
    struct str rest;
    struct str header;
    struct str claims;

    build("{\"alg\":\"RS256\"}", good_claims, "", &whole);
    rest = strbuf_str(&whole);
    (void)!str_cut(&rest, '.', &header);
    (void)!str_cut(&rest, '.', &claims);
    for (; *shape; shape++) {
        if (*shape == 'H') {
            strbuf_append(text, header);
        } else if (*shape == 'C') {
            strbuf_append(text, claims);
        } else {
            strbuf_append_byte(text, *shape);
        }
    }
    strbuf_release(&whole);
}

static void other_shapes_are_refused(void **state)
{
    struct strbuf text;
    struct jwt jwt = {0};

    (void)state;
    strbuf_init(&text, TEXT_MAX_BYTES);
    append_shape("H.C.Zm9v", &text);
    assert_int_equal(jwt_parse(strbuf_str(&text), &jwt, NULL), OK);
    jwt_release(&jwt);
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        struct error err = {0};

        strbuf_clear(&text);
        append_shape(shapes[i], &text);
        if (jwt_parse(strbuf_str(&text), &jwt, &err) != ERROR_UNAUTHENTICATED) {
            fail_msg("'%s' is accepted", shapes[i]);
        }
        assert_null(strstr(err.message, "eyJ"));
    }
    strbuf_release(&text);
    assert_int_equal(jwt_parse((struct str){0}, &jwt, NULL), ERROR_UNAUTHENTICATED);
}

static void size_is_limited(void **state)
{
    struct strbuf text;
    struct jwt jwt = {0};
    struct error err = {0};

    (void)state;
    /* One more space, so that the signature has a length that base64 can have. */
    build("{\"alg\":\"RS256\" }", good_claims, "", &text);
    while (text.length < JWT_MAX_BYTES) {
        strbuf_append_byte(&text, 'A');
    }
    assert_int_equal(jwt_parse(strbuf_str(&text), &jwt, NULL), OK);
    jwt_release(&jwt);
    strbuf_append_byte(&text, 'A');
    assert_int_equal(jwt_parse(strbuf_str(&text), &jwt, &err), ERROR_UNAUTHENTICATED);
    assert_non_null(strstr(err.message, "too long"));
    strbuf_release(&text);
}

static void key_ids_are_limited(void **state)
{
    for (size_t length = JWT_KEY_ID_MAX_BYTES; length <= JWT_KEY_ID_MAX_BYTES + 1; length++) {
        struct jwt jwt = {0};
        struct strbuf header;
        struct strbuf text;

        (void)state;
        strbuf_init(&header, TEXT_MAX_BYTES);
        strbuf_append_text(&header, "{\"alg\":\"RS256\",\"kid\":\"");
        for (size_t i = 0; i < length; i++) {
            strbuf_append_byte(&header, 'k');
        }
        strbuf_append_text(&header, "\"}");
        build(header.text, good_claims, "Zm9v", &text);
        assert_int_equal(jwt_parse(strbuf_str(&text), &jwt, NULL),
                         length > JWT_KEY_ID_MAX_BYTES ? ERROR_UNAUTHENTICATED : OK);
        jwt_release(&jwt);
        strbuf_release(&text);
        strbuf_release(&header);
    }
}

static void own_tokens_and_those_of_issuers_are_kept_apart(void **state)
{
    static const struct {
        const char *header;
        bool is_own;
    } rows[] = {
        {"{\"alg\":\"HS256\",\"typ\":\"pull+jwt\"}", true},
        {"{\"alg\":\"HS256\",\"typ\":\"application/PULL+jwt\"}", true},
        {"{\"alg\":\"HS256\",\"typ\":\"JWT\"}", false},
        {"{\"alg\":\"HS256\"}", false},
        {"{\"alg\":\"HS512\",\"typ\":\"pull+jwt\"}", false},
        {"{\"alg\":\"none\",\"typ\":\"pull+jwt\"}", false},
        {"{\"alg\":\"RS256\",\"typ\":\"pull+jwt\"}", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct jwt jwt = {0};
        struct strbuf text;

        build(rows[i].header, good_claims, "Zm9v", &text);
        assert_int_equal(jwt_parse(strbuf_str(&text), &jwt, NULL), ERROR_UNAUTHENTICATED);
        assert_int_equal(jwt_parse_own(strbuf_str(&text), "pull+jwt", &jwt, NULL),
                         rows[i].is_own ? OK : ERROR_UNAUTHENTICATED);
        jwt_release(&jwt);
        strbuf_release(&text);
    }
}

static void the_issuer_is_seen_in_good_and_bad_tokens(void **state)
{
    static const struct {
        const char *header;
        const char *claims;
        bool is_named;
    } rows[] = {
        {"{\"alg\":\"RS256\"}", "{\"iss\":\"https://a\"}", true},
        {"{\"alg\":\"none\"}", "{\"iss\":\"https://a\"}", true},
        {"no header", "{\"iss\":\"https://a\"}", true},
        {"{\"alg\":\"RS256\"}", "{\"iss\":\"https://a/\"}", false},
        {"{\"alg\":\"RS256\"}", "{\"iss\":[\"https://a\"]}", false},
        {"{\"alg\":\"RS256\"}", "{}", false},
        {"{\"alg\":\"RS256\"}", "no claims", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct strbuf text;

        build(rows[i].header, rows[i].claims, "Zm9v", &text);
        assert_int_equal(jwt_names_issuer(strbuf_str(&text), "https://a"), rows[i].is_named);
        strbuf_release(&text);
    }
    assert_false(jwt_names_issuer(str_from("0f9e8d7c-opaque"), "https://a"));
}

static const char secret[] = "0123456789abcdef0123456789abcdef";
static const char other_secret[] = "0123456789abcdef0123456789abcdeF";
static const struct jwt_making making = {
    .key_id = STR_LITERAL("key \"1\""),
    .type = "pull+jwt",
    .secret = STR_LITERAL("0123456789abcdef0123456789abcdef"),
};

static void a_token_of_ours_is_verified(void **state)
{
    struct strbuf token;
    struct jwt jwt = {0};

    (void)state;
    strbuf_init(&token, 4096);
    jwt_sign_hmac(&making, str_from("{\"sub\":\"jdoe\"}"), &token);
    assert_int_equal(jwt_parse_own(strbuf_str(&token), "pull+jwt", &jwt, NULL), OK);
    assert_true(str_is(jwt.key_id, "key \"1\""));
    assert_true(str_is(json_value_member_string(jwt.claims, "sub"), "jdoe"));
    assert_int_equal(jwt_verify_hmac(&jwt, str_from(secret), NULL), OK);
    assert_int_equal(jwt_verify_hmac(&jwt, str_from(other_secret), NULL), ERROR_UNAUTHENTICATED);
    jwt_release(&jwt);
    strbuf_release(&token);
}

/* RFC 7515 A.1: its key is longer than the hash. */
static void the_example_of_the_standard_is_verified(void **state)
{
    static const char token[] = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
                                "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
                                "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
                                "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    static const char key[] = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75"
                              "aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    uint8_t bytes[80];
    struct jwt jwt = {0};
    const long length = base64url_decode(str_from(key), bytes);

    (void)state;
    assert_int_equal(length, 64);
    assert_int_equal(jwt_parse_own(str_from(token), "JWT", &jwt, NULL), OK);
    assert_int_equal(jwt_verify_hmac(&jwt, (struct str){(const char *)bytes, (size_t)length}, NULL),
                     OK);
    jwt_release(&jwt);
}

static void every_changed_character_is_noticed(void **state)
{
    struct strbuf token;

    (void)state;
    strbuf_init(&token, 4096);
    jwt_sign_hmac(&making, str_from("{\"sub\":\"jdoe\"}"), &token);
    for (size_t i = 0; i < token.length; i++) {
        const char kept = token.text[i];
        struct jwt jwt = {0};
        struct error err = {0};
        enum error_code code;

        token.text[i] = kept == 'A' ? 'B' : 'A';
        code = jwt_parse_own(strbuf_str(&token), "pull+jwt", &jwt, &err);
        if (!code) {
            code = jwt_verify_hmac(&jwt, str_from(secret), &err);
        }
        assert_int_equal(code, ERROR_UNAUTHENTICATED);
        assert_null(strstr(err.message, "eyJ"));
        jwt_release(&jwt);
        token.text[i] = kept;
    }
    strbuf_release(&token);
}

static void a_shorter_signature_is_wrong(void **state)
{
    struct strbuf token;

    (void)state;
    strbuf_init(&token, 4096);
    jwt_sign_hmac(&making, str_from("{}"), &token);
    for (size_t cut = 1; cut < 42; cut++) {
        struct jwt jwt = {0};
        const struct str text = {token.text, token.length - cut};

        if (!jwt_parse_own(text, "pull+jwt", &jwt, NULL)) {
            assert_int_equal(jwt_verify_hmac(&jwt, str_from(secret), NULL), ERROR_UNAUTHENTICATED);
        }
        jwt_release(&jwt);
    }
    strbuf_release(&token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_read),
        cmocka_unit_test(headers_are_judged),
        cmocka_unit_test(claims_must_be_one_object),
        cmocka_unit_test(other_shapes_are_refused),
        cmocka_unit_test(size_is_limited),
        cmocka_unit_test(key_ids_are_limited),
        cmocka_unit_test(own_tokens_and_those_of_issuers_are_kept_apart),
        cmocka_unit_test(the_issuer_is_seen_in_good_and_bad_tokens),
        cmocka_unit_test(a_token_of_ours_is_verified),
        cmocka_unit_test(the_example_of_the_standard_is_verified),
        cmocka_unit_test(every_changed_character_is_noticed),
        cmocka_unit_test(a_shorter_signature_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
