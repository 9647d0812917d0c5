#include "auth/jwt_sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/token.h"

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
        cmocka_unit_test(a_token_of_ours_is_verified),
        cmocka_unit_test(the_example_of_the_standard_is_verified),
        cmocka_unit_test(every_changed_character_is_noticed),
        cmocka_unit_test(a_shorter_signature_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
