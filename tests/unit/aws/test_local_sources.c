#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "aws/source.h"
#include "base/attributes.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/aws/aws_world.h"

static const char profiles[] =
    "[default]\naws_access_key_id = AKID\naws_secret_access_key = hidden\n"
    "aws_session_token = token\n"
    "[half]\naws_secret_access_key = hidden\n";

static void the_environment_gives_keys(void **state)
{
    struct aws_world world;

    (void)state;
    aws_world_init(&world);
    aws_world_set(&world, "AWS_ACCESS_KEY_ID", "AKID");
    aws_world_set(&world, "AWS_SECRET_ACCESS_KEY", "hidden");
    aws_world_set(&world, "AWS_SESSION_TOKEN", "token");
    aws_world_expect(&world, aws_source_environment, "the environment (AWS_ACCESS_KEY_ID)");
    aws_key_copy_release(&world.found.copy);
    aws_world_set(&world, "AWS_SESSION_TOKEN", "");
    assert_int_equal(aws_source_environment(&world.config, &world.found, NULL), OK);
    assert_null(world.found.copy.keys.session_token);
    aws_world_release(&world);
}

static void half_an_environment_is_a_mistake(void **state)
{
    struct aws_world world;

    (void)state;
    aws_world_init(&world);
    aws_world_expect_failure(&world, aws_source_environment, ERROR_NOT_FOUND,
                             "AWS_ACCESS_KEY_ID is not set");
    aws_world_set(&world, "AWS_SECRET_ACCESS_KEY", "hidden");
    aws_world_expect_failure(&world, aws_source_environment, ERROR_UNAVAILABLE,
                             "the access key id is missing");
    aws_world_set(&world, "AWS_ACCESS_KEY_ID", "AKID");
    aws_world_set(&world, "AWS_SECRET_ACCESS_KEY", "hidden\n");
    aws_world_expect_failure(&world, aws_source_environment, ERROR_UNAVAILABLE, "has a byte");
    aws_world_release(&world);
}

static void the_file_at_home_gives_keys(void **state)
{
    char *folder = temporary_folder_new();
    char aws[AWS_PATH_MAX_BYTES];
    char place[AWS_ORIGIN_BYTES];
    struct aws_world world;
    char *path = NULL;

    (void)state;
    aws_world_init(&world);
    aws_world_expect_failure(&world, aws_source_file, ERROR_NOT_FOUND, "nor is HOME");
    aws_world_set(&world, "HOME", folder);
    aws_world_expect_failure(&world, aws_source_file, ERROR_NOT_FOUND,
                             "/.aws/credentials: there is no such file");
    (void)snprintf(aws, sizeof(aws), "%s/.aws", folder);
    assert_int_equal(mkdir(aws, 0700), 0);
    path = aws_world_file(aws, "credentials", profiles);
    (void)snprintf(place, sizeof(place), "the credentials file %s, profile default", path);
    aws_world_expect(&world, aws_source_file, place);
    free(path);
    path = aws_world_file(aws, "credentials", "[other]\n");
    aws_world_expect_failure(&world, aws_source_file, ERROR_NOT_FOUND, "no profile default");
    free(path);
    path = aws_world_file(aws, "credentials", "[default]\nhidden\n");
    aws_world_expect_failure(&world, aws_source_file, ERROR_UNAVAILABLE, "line 2 is not");
    free(path);
    aws_world_release(&world);
    temporary_folder_free(folder);
}

static void a_file_or_profile_that_is_asked_for_must_be_there(void **state)
{
    char *folder = temporary_folder_new();
    char *path = aws_world_file(folder, "keys", profiles);
    char place[AWS_ORIGIN_BYTES];
    struct aws_world world;

    (void)state;
    aws_world_init(&world);
    aws_world_set(&world, "AWS_PROFILE", "default");
    aws_world_expect_failure(&world, aws_source_file, ERROR_UNAVAILABLE, "nor is HOME");
    aws_world_set(&world, "AWS_SHARED_CREDENTIALS_FILE", path);
    (void)snprintf(place, sizeof(place), "the credentials file %s, profile default", path);
    aws_world_expect(&world, aws_source_file, place);
    aws_world_set(&world, "AWS_PROFILE", "mine");
    aws_world_expect_failure(&world, aws_source_file, ERROR_UNAVAILABLE, "no profile mine");
    aws_world_set(&world, "AWS_PROFILE", "half");
    aws_world_expect_failure(&world, aws_source_file, ERROR_UNAVAILABLE, "key id is missing");
    aws_world_set(&world, "AWS_PROFILE", NULL);
    aws_world_set(&world, "AWS_SHARED_CREDENTIALS_FILE", "/nowhere/at/all");
    aws_world_expect_failure(&world, aws_source_file, ERROR_UNAVAILABLE,
                             "/nowhere/at/all: there is no such file");
    aws_world_release(&world);
    free(path);
    temporary_folder_free(folder);
}

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
        cmocka_unit_test(the_environment_gives_keys),
        cmocka_unit_test(half_an_environment_is_a_mistake),
        cmocka_unit_test(the_file_at_home_gives_keys),
        cmocka_unit_test(a_file_or_profile_that_is_asked_for_must_be_there),
        cmocka_unit_test(the_keys_of_a_profile_are_read),
        cmocka_unit_test(what_has_no_usable_keys_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
