#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/stub_server.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/aws/aws_world.h"

static const char *const keys[] = {
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
    "<SessionToken>token</SessionToken><SecretAccessKey>hidden</SecretAccessKey>"
    "<Expiration>2015-05-07T16:49:51Z</Expiration><AccessKeyId>AKID</AccessKeyId></Credentials>"
    "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>",
    NULL};

struct fixture {
    struct aws_world world;
    struct stub_server *server;
    char *folder;
    char *token;
};

static void begin(struct fixture *fixture, const char *const *answers)
{
    aws_world_init(&fixture->world);
    fixture->server = stub_server_new(answers);
    fixture->folder = temporary_folder_new();
    fixture->token = aws_world_file(fixture->folder, "token", "ey+hidden\n");
    aws_world_set(&fixture->world, "AWS_WEB_IDENTITY_TOKEN_FILE", fixture->token);
    aws_world_set(&fixture->world, "AWS_ROLE_ARN", "arn:aws:iam::1:role/R");
    aws_world_set(&fixture->world, "AWS_ENDPOINT_URL_STS", stub_server_url(fixture->server));
}

static void end(struct fixture *fixture)
{
    aws_world_release(&fixture->world);
    stub_server_free(fixture->server);
    free(fixture->token);
    temporary_folder_free(fixture->folder);
}

static void a_token_is_exchanged_for_keys(void **state)
{
    char place[AWS_ORIGIN_BYTES];
    struct fixture fixture;
    const char *request = NULL;

    (void)state;
    begin(&fixture, keys);
    (void)snprintf(place, sizeof(place),
                   "the role arn:aws:iam::1:role/R for the web identity in %s", fixture.token);
    aws_world_expect(&fixture.world, aws_source_web_identity, place);
    assert_true(fixture.world.found.copy.expires_ms == INT64_C(1431017391000));
    request = stub_server_request(fixture.server);
    assert_int_equal(strncmp(request, "POST / HTTP/1.1\r\n", 17), 0);
    assert_non_null(strstr(request, "Content-Type: application/x-www-form-urlencoded\r\n"));
    assert_non_null(strstr(request, "\r\n\r\nAction=AssumeRoleWithWebIdentity&Version=2011-06-15"
                                    "&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2FR"
                                    "&RoleSessionName=pierone&WebIdentityToken=ey%2Bhidden"));
    aws_world_set(&fixture.world, "AWS_ROLE_SESSION_NAME", "mine");
    aws_world_expect(&fixture.world, aws_source_web_identity, place);
    assert_non_null(strstr(stub_server_request(fixture.server), "&RoleSessionName=mine&"));
    end(&fixture);
}

static void without_token_or_role_there_is_no_exchange(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, keys);
    aws_world_set(&fixture.world, "AWS_ROLE_ARN", NULL);
    aws_world_expect_failure(&fixture.world, aws_source_web_identity, ERROR_UNAVAILABLE,
                             "set AWS_ROLE_ARN, too");
    aws_world_set(&fixture.world, "AWS_ROLE_ARN", "arn");
    aws_world_set(&fixture.world, "AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/at/all");
    aws_world_expect_failure(&fixture.world, aws_source_web_identity, ERROR_UNAVAILABLE,
                             "the web identity token /nowhere/at/all: there is no such file");
    aws_world_set(&fixture.world, "AWS_WEB_IDENTITY_TOKEN_FILE", NULL);
    aws_world_expect_failure(&fixture.world, aws_source_web_identity, ERROR_NOT_FOUND,
                             "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
    assert_int_equal(stub_server_count(fixture.server), 0);
    end(&fixture);
}

static void a_refusal_names_the_services_reason(void **state)
{
    static const char *const refusal[] = {"HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n"
                                          "<ErrorResponse><Error><Code>InvalidIdentityToken</Code>"
                                          "<Message>ey+hidden</Message></Error></ErrorResponse>",
                                          NULL};
    static const char *const nonsense[] = {
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>hidden</html>", NULL};
    struct fixture fixture;

    (void)state;
    begin(&fixture, refusal);
    aws_world_expect_failure(&fixture.world, aws_source_web_identity, ERROR_UNAVAILABLE,
                             "the token service (STS) answered 403 InvalidIdentityToken");
    end(&fixture);
    begin(&fixture, nonsense);
    aws_world_expect_failure(&fixture.world, aws_source_web_identity, ERROR_UNAVAILABLE,
                             "the token service (STS): the answer has not one element Credentials");
    end(&fixture);
}

static void a_service_that_is_down_is_named(void **state)
{
    static const char *const nothing[] = {"", NULL};
    struct fixture fixture;

    (void)state;
    begin(&fixture, nothing);
    aws_world_expect_failure(&fixture.world, aws_source_web_identity, ERROR_UNAVAILABLE,
                             "127.0.0.1");
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_exchanged_for_keys),
        cmocka_unit_test(without_token_or_role_there_is_no_exchange),
        cmocka_unit_test(a_refusal_names_the_services_reason),
        cmocka_unit_test(a_service_that_is_down_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
