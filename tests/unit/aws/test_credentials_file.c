#include "aws/credentials_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"

static void the_keys_of_a_profile_are_read(void **state)
{
    static const struct {
        const char *text;
        const char *profile;
        const char *token;
    } cases[] = {
        {"[default]\naws_access_key_id = AKID\naws_secret_access_key = sec#ret==\n", "default",
         NULL},
        {"# of mine\n\n[default]\r\naws_access_key_id=AKID\r\nAWS_SECRET_ACCESS_KEY=sec#ret==\r\n"
         "aws_session_token=\ttoken=\r\n",
         "default", "token="},
        {"[other]\naws_access_key_id = wrong\naws_secret_access_key = wrong\n"
         "[ default ] # comment\n; comment\naws_access_key_id = AKID ; comment\n"
         "region = us-east-1\naws_secret_access_key = sec#ret== # comment\ns3 =\n  no value\n"
         "  aws_access_key_id = wrong\n"
         "[more]\naws_access_key_id = wrong\nanything goes\n",
         "default", NULL},
        {"[a]\naws_access_key_id = wrong\n[a b]\naws_access_key_id = AKID\n[a]\n"
         "aws_access_key_id = wrong\n[a b]\naws_secret_access_key = sec#ret==",
         "a b", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct aws_key_copy copy;
        struct error err = {0};

        if (aws_credentials_file_parse(str_from(cases[i].text), cases[i].profile, &copy, &err)) {
            fail_msg("%zu: %s", i, err.message);
        }
        assert_string_equal(copy.keys.access_key_id, "AKID");
        assert_string_equal(copy.keys.secret_access_key, "sec#ret==");
        if (cases[i].token) {
            assert_string_equal(copy.keys.session_token, cases[i].token);
        } else {
            assert_null(copy.keys.session_token);
        }
        assert_true(copy.expires_ms == AWS_KEYS_NEVER_EXPIRE);
        aws_key_copy_release(&copy);
    }
}

static void what_has_no_usable_keys_is_refused(void **state)
{
    static const struct {
        const char *text;
        enum error_code code;
        const char *message;
    } cases[] = {
        {"", ERROR_NOT_FOUND, "there is no profile default"},
        {"[other]\naws_access_key_id = x\n", ERROR_NOT_FOUND, "there is no profile default"},
        {"aws_access_key_id = x\n", ERROR_NOT_FOUND, "there is no profile default"},
        {"[default]\nrole_arn = x\n", ERROR_NOT_FOUND, "has no aws_access_key_id"},
        {"[default]\naws_access_key_id = x\n", ERROR_INVALID, "secret access key is missing"},
        {"[default]\naws_secret_access_key = hidden\n", ERROR_INVALID, "key id is missing"},
        {"[default]\naws_access_key_id = x\naws_secret_access_key = hidden hidden\n", ERROR_INVALID,
         "the secret access key has a byte"},
        {"\n[default]\nhidden\n", ERROR_INVALID, "line 3 is not NAME = VALUE"},
        {"[default\nhidden = x\n", ERROR_INVALID, "line 1 is not [PROFILE]"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct aws_key_copy copy = {0};
        struct error err = {0};

        assert_int_equal(
            aws_credentials_file_parse(str_from(cases[i].text), "default", &copy, &err),
            cases[i].code);
        if (!strstr(err.message, cases[i].message) || strstr(err.message, "hidden")) {
            fail_msg("%zu: %s", i, err.message);
        }
        assert_null(copy.memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_keys_of_a_profile_are_read),
        cmocka_unit_test(what_has_no_usable_keys_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
