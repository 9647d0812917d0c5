#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

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
    char place[AWS_PLACE_BYTES];
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
    char place[AWS_PLACE_BYTES];
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_environment_gives_keys),
        cmocka_unit_test(half_an_environment_is_a_mistake),
        cmocka_unit_test(the_file_at_home_gives_keys),
        cmocka_unit_test(a_file_or_profile_that_is_asked_for_must_be_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
