#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "tests/support/stub_server.h"
#include "tests/unit/aws/aws_world.h"

#define ANSWER "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
#define KEYS                                                                                       \
    "{\"Code\":\"Success\",\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"hidden\","               \
    "\"Token\":\"token\",\"Expiration\":\"2015-05-07T16:49:51Z\"}"

static void begin(struct aws_world *world, struct stub_server **server_out,
                  const char *const *answers)
{
    aws_world_init(world);
    *server_out = stub_server_new(answers);
    aws_world_set(world, "AWS_EC2_METADATA_SERVICE_ENDPOINT", stub_server_url(*server_out));
}

static void end(struct aws_world *world, struct stub_server *server)
{
    aws_world_release(world);
    stub_server_free(server);
}

static void the_role_gives_keys_in_a_session(void **state)
{
    static const char *const answers[] = {ANSWER "session==", ANSWER "My+Role\n", ANSWER KEYS,
                                          NULL};
    struct aws_world world;
    struct stub_server *server = NULL;
    char url[AWS_SOURCE_URL_MAX_BYTES];
    const char *request = NULL;

    (void)state;
    begin(&world, &server, answers);
    (void)snprintf(url, sizeof(url), "%s/", stub_server_url(server));
    aws_world_set(&world, "AWS_EC2_METADATA_SERVICE_ENDPOINT", url);
    aws_world_expect(&world, aws_source_instance,
                     "the role My+Role of this instance (instance metadata)");
    assert_true(world.found.copy.expires_ms == INT64_C(1431017391000));
    assert_int_equal(stub_server_count(server), 3);
    request = stub_server_request(server);
    assert_non_null(
        strstr(request, "GET /latest/meta-data/iam/security-credentials/My%2BRole HTTP/1.1\r\n"));
    assert_non_null(strstr(request, "\r\nX-aws-ec2-metadata-token: session==\r\n"));
    end(&world, server);
}

/* A proxy would tell of its own role, and see the keys. */
static void no_proxy_is_asked(void **state)
{
    static const char *const answers[] = {ANSWER "session", ANSWER "Role", ANSWER KEYS, NULL};
    struct stub_server *proxy = stub_server_new(answers);
    struct stub_server *server = NULL;
    struct aws_world world;

    (void)state;
    begin(&world, &server, answers);
    assert_int_equal(setenv("http_proxy", stub_server_url(proxy), 1), 0);
    aws_world_expect(&world, aws_source_instance,
                     "the role Role of this instance (instance metadata)");
    assert_int_equal(unsetenv("http_proxy"), 0);
    assert_int_equal(stub_server_count(proxy), 0);
    end(&world, server);
    stub_server_free(proxy);
}

static void a_session_is_asked_for_first(void **state)
{
    static const char *const answers[] = {"HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n",
                                          NULL};
    struct aws_world world;
    struct stub_server *server = NULL;
    const char *request = NULL;

    (void)state;
    begin(&world, &server, answers);
    aws_world_expect_failure(&world, aws_source_instance, ERROR_UNAVAILABLE,
                             "gave no session token (status 403)");
    request = stub_server_request(server);
    assert_int_equal(strncmp(request, "PUT /latest/api/token HTTP/1.1\r\n", 32), 0);
    assert_non_null(strstr(request, "\r\nX-aws-ec2-metadata-token-ttl-seconds: 300\r\n"));
    end(&world, server);
}

static void what_the_service_lacks_is_said(void **state)
{
    static const struct {
        const char *answers[4];
        enum error_code code;
        const char *message;
    } cases[] = {
        {{ANSWER "hidden\x01", NULL}, ERROR_UNAVAILABLE, "gave no session token"},
        {{ANSWER, NULL}, ERROR_UNAVAILABLE, "gave no session token"},
        {{ANSWER "session", "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\nhidden", NULL},
         ERROR_NOT_FOUND,
         "this instance has no role"},
        {{ANSWER "session", ANSWER "<html>hidden", NULL}, ERROR_UNAVAILABLE, "named no role"},
        {{ANSWER "session", "HTTP/1.1 500 No\r\nConnection: close\r\n\r\nRole", NULL},
         ERROR_UNAVAILABLE,
         "named no role (status 500)"},
        {{ANSWER "session", ANSWER "Role", "HTTP/1.1 404 No\r\nConnection: close\r\n\r\n", NULL},
         ERROR_UNAVAILABLE,
         "the instance metadata service answered 404"},
        {{ANSWER "session", ANSWER "Role", ANSWER "{\"Code\":\"Failed\"}", NULL},
         ERROR_UNAVAILABLE,
         "the instance metadata service: the answer is the error Failed"},
        {{ANSWER "session", ANSWER "Role", ANSWER "hidden", NULL},
         ERROR_UNAVAILABLE,
         "the instance metadata service: the answer is no JSON object"},
        {{"", NULL}, ERROR_NOT_FOUND, "127.0.0.1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct aws_world world;
        struct stub_server *server = NULL;

        begin(&world, &server, cases[i].answers);
        aws_world_expect_failure(&world, aws_source_instance, cases[i].code, cases[i].message);
        end(&world, server);
    }
}

static void the_service_can_be_switched_off(void **state)
{
    static const char *const answers[] = {ANSWER "session", NULL};
    struct aws_world world;
    struct stub_server *server = NULL;

    (void)state;
    begin(&world, &server, answers);
    aws_world_set(&world, "AWS_EC2_METADATA_DISABLED", "True");
    aws_world_expect_failure(&world, aws_source_instance, ERROR_NOT_FOUND,
                             "AWS_EC2_METADATA_DISABLED is true");
    assert_int_equal(stub_server_count(server), 0);
    aws_world_set(&world, "AWS_EC2_METADATA_DISABLED", "false");
    assert_int_not_equal(aws_source_instance(&world.config, &world.found, NULL), OK);
    assert_true(stub_server_count(server) > 0);
    end(&world, server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_role_gives_keys_in_a_session),
        cmocka_unit_test(no_proxy_is_asked),
        cmocka_unit_test(a_session_is_asked_for_first),
        cmocka_unit_test(what_the_service_lacks_is_said),
        cmocka_unit_test(the_service_can_be_switched_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
