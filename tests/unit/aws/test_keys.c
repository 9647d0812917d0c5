#include "aws/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "base/memory.h"

static const struct str id = STR_LITERAL("AKIDEXAMPLE");
static const struct str secret = STR_LITERAL("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");

static void a_copy_has_the_keys_and_never_expires(void **state)
{
    struct aws_key_copy copy;

    (void)state;
    assert_int_equal(aws_key_copy_make(id, secret, str_from("token=="), &copy, NULL), OK);
    assert_string_equal(copy.keys.access_key_id, id.bytes);
    assert_string_equal(copy.keys.secret_access_key, secret.bytes);
    assert_string_equal(copy.keys.session_token, "token==");
    assert_true(copy.expires_ms == AWS_KEYS_NEVER_EXPIRE);
    aws_key_copy_release(&copy);
    assert_null(copy.keys.secret_access_key);
    aws_key_copy_release(&copy);
}

static void an_empty_token_is_none(void **state)
{
    struct aws_key_copy copy;

    (void)state;
    assert_int_equal(aws_key_copy_make(id, secret, str_from(""), &copy, NULL), OK);
    assert_null(copy.keys.session_token);
    aws_key_copy_release(&copy);
}

static void a_clone_is_its_own(void **state)
{
    struct aws_key_copy copy;
    struct aws_key_copy clone;

    (void)state;
    assert_int_equal(aws_key_copy_make(id, secret, (struct str){0}, &copy, NULL), OK);
    copy.expires_ms = 1234;
    aws_key_copy_clone(&copy, &clone);
    aws_key_copy_release(&copy);
    assert_string_equal(clone.keys.secret_access_key, secret.bytes);
    assert_null(clone.keys.session_token);
    assert_int_equal(clone.expires_ms, 1234);
    aws_key_copy_release(&clone);
}

static void what_no_header_can_carry_is_refused(void **state)
{
    static const struct {
        struct str id, secret, token;
        const char *message;
    } cases[] = {
        {{0}, STR_LITERAL("hidden"), {0}, "the access key id is missing"},
        {STR_LITERAL("id"), STR_LITERAL(""), {0}, "the secret access key is missing"},
        {STR_LITERAL("id"), STR_LITERAL("hidden\n"), {0}, "the secret access key has a byte"},
        {STR_LITERAL("i d"), STR_LITERAL("hidden"), {0}, "the access key id has a byte"},
        {STR_LITERAL("id"), STR_LITERAL("hidden\0"), {0}, "the secret access key has a byte"},
        {STR_LITERAL("id"), STR_LITERAL("hidden"), STR_LITERAL("hidden\r\nx: y"),
         "the session token has a byte"},
        {STR_LITERAL("id\xc3\xa9"), STR_LITERAL("hidden"), {0}, "the access key id has a byte"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct aws_key_copy copy = {0};
        struct error err = {0};

        assert_int_equal(
            aws_key_copy_make(cases[i].id, cases[i].secret, cases[i].token, &copy, &err),
            ERROR_INVALID);
        assert_non_null(strstr(err.message, cases[i].message));
        assert_null(strstr(err.message, "hidden"));
        assert_null(copy.memory);
    }
}

static void what_is_too_long_is_refused(void **state)
{
    const size_t length = AWS_TOKEN_MAX_BYTES + 1;
    char *text = memory_new(length, 1);
    struct aws_key_copy copy = {0};
    struct error err = {0};

    (void)state;
    memset(text, 'x', length);
    assert_int_equal(
        aws_key_copy_make(id, (struct str){text, AWS_KEY_MAX_BYTES + 1}, id, &copy, &err),
        ERROR_INVALID);
    assert_string_equal(err.message, "the secret access key has more than 1024 bytes");
    assert_int_equal(aws_key_copy_make(id, secret, (struct str){text, length}, &copy, &err),
                     ERROR_INVALID);
    assert_int_equal(aws_key_copy_make(id, secret, (struct str){text, length - 1}, &copy, &err),
                     OK);
    aws_key_copy_release(&copy);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_has_the_keys_and_never_expires),
        cmocka_unit_test(an_empty_token_is_none),
        cmocka_unit_test(a_clone_is_its_own),
        cmocka_unit_test(what_no_header_can_carry_is_refused),
        cmocka_unit_test(what_is_too_long_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
