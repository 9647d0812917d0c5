#include "auth/credentials.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"

static void fields_are_read(void **state)
{
    static const struct {
        const char *field;
        enum credentials_kind kind;
        bool is_bearer;
        const char *name;
        const char *secret;
    } rows[] = {
        {"", CREDENTIALS_NONE, false, "", ""},
        {"Bearer abc.def", CREDENTIALS_TOKEN, true, "", "abc.def"},
        {"bearer   abc", CREDENTIALS_TOKEN, true, "", "abc"},
        {"Token abc.def", CREDENTIALS_TOKEN, true, "", "abc.def"},
        {"Basic b2F1dGgyOnRva2Vu", CREDENTIALS_TOKEN, false, "oauth2", "token"},
        {"basic b2F1dGgyOnRva2Vu", CREDENTIALS_TOKEN, false, "oauth2", "token"},
        {"Basic PHRva2VuPjphYmM=", CREDENTIALS_TOKEN, false, "<token>", "abc"},
        {"Basic YWxpY2U6cDpxOnI=", CREDENTIALS_PASSWORD, false, "alice", "p:q:r"},
        {"Basic aW5zdGFuY2UtaWRlbnRpdHktZG9jdW1lbnQ6UEtDUzc=", CREDENTIALS_INSTANCE, false,
         "instance-identity-document", "PKCS7"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct credentials credentials;
        struct error err = {0};

        assert_int_equal(credentials_parse(str_from(rows[i].field), &credentials, &err), OK);
        assert_int_equal(credentials.kind, rows[i].kind);
        assert_int_equal(credentials.is_bearer, rows[i].is_bearer);
        assert_true(str_is(credentials.name, rows[i].name));
        assert_true(str_is(credentials.secret, rows[i].secret));
        credentials_release(&credentials);
    }
}

static void what_is_wrong_is_told_without_the_content(void **state)
{
    static const struct {
        const char *field;
        const char *says;
    } rows[] = {
        {"Digest username=sesame", "must be Bearer or Basic"},
        {"Bearer", "holds no token"},
        {"Bearer ", "holds no token"},
        {"Token ", "holds no token"},
        {"Tokens abc", "must be Bearer or Basic"},
        {"Bearer sesame street", "holds no token"},
        {"Bearer 0123456789sesame street", "holds no token"},
        {"Bearer 0123456789abcdefsesame street", "holds no token"},
        {"Bearer sesam\xc3\xa9", "holds no token"},
        {"Bearer 0123456789sesam\xc3\xa9", "holds no token"},
        {"Bearer 0123456789sesame\x7f", "holds no token"},
        {"Basic ", "NAME:PASSWORD"},
        {"Basic sesame!", "NAME:PASSWORD"},
        {"Basic c2VzYW1l", "NAME:PASSWORD"},          /* no colon */
        {"Basic c2VzYW1l==", "NAME:PASSWORD"},        /* too much padding */
        {"Basic OnNlc2FtZQ==", "user name is empty"}, /* :sesame */
        {"Basic c2VzYW1lOg==", "password is empty"},  /* sesame: */
        {"Basic YQFiOnNlc2FtZQ==", "control characters"},
        {"Basic YTpzZXNhbQBl", "NUL"},
        {"Basic b2F1dGgyOnNlc2FtZQ0KWDogeQ==", "control characters"}, /* oauth2:sesame\r\nX: y */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct credentials credentials;
        struct error err = {0};

        assert_int_equal(credentials_parse(str_from(rows[i].field), &credentials, &err),
                         ERROR_INVALID);
        assert_non_null(strstr(err.message, rows[i].says));
        assert_null(strstr(err.message, "sesam"));
        credentials_release(&credentials);
    }
}

static void a_token_that_is_too_long_is_refused(void **state)
{
    static char field[CREDENTIALS_MAX_BYTES + 100] = "Bearer ";
    struct credentials credentials;
    struct error err = {0};

    (void)state;
    memset(field + 7, 'x', CREDENTIALS_MAX_BYTES + 1);
    assert_int_equal(credentials_parse(str_from(field), &credentials, &err), ERROR_INVALID);
    credentials_release(&credentials);
    field[7 + CREDENTIALS_MAX_BYTES] = '\0';
    assert_int_equal(credentials_parse(str_from(field), &credentials, &err), OK);
    assert_int_equal(credentials.secret.length, CREDENTIALS_MAX_BYTES);
    credentials_release(&credentials);
}

static void user_and_password_of_a_form_are_read_alike(void **state)
{
    struct credentials credentials;
    struct error err = {0};

    (void)state;
    assert_int_equal(credentials_of_user(str_from("oauth2"), str_from("token"), &credentials, &err),
                     OK);
    assert_int_equal(credentials.kind, CREDENTIALS_TOKEN);
    assert_true(str_is(credentials.secret, "token"));
    credentials_release(&credentials);
    assert_int_equal(credentials_of_user(str_from("a:b"), str_from("p:q"), &credentials, &err), OK);
    assert_int_equal(credentials.kind, CREDENTIALS_PASSWORD);
    assert_true(str_is(credentials.name, "a:b"));
    assert_true(str_is(credentials.secret, "p:q"));
    credentials_release(&credentials);
    assert_int_equal(credentials_of_user(str_from("alice"), str_from(""), &credentials, &err),
                     ERROR_INVALID);
    credentials_release(&credentials);
}

static void fields_are_compared(void **state)
{
    (void)state;
    assert_true(credentials_are_equal(str_from("Bearer abcd"), str_from("Bearer abcd")));
    assert_false(credentials_are_equal(str_from("Bearer abcd"), str_from("Bearer abce")));
    assert_false(credentials_are_equal(str_from("Bearer abcd"), str_from("bearer abcd")));
    assert_false(credentials_are_equal(str_from("Bearer abc"), str_from("Bearer ab")));
    assert_false(credentials_are_equal((struct str){0}, (struct str){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_read),
        cmocka_unit_test(what_is_wrong_is_told_without_the_content),
        cmocka_unit_test(a_token_that_is_too_long_is_refused),
        cmocka_unit_test(fields_are_compared),
        cmocka_unit_test(user_and_password_of_a_form_are_read_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
