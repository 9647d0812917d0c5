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
#include "tests/support/temporary_folder.h"
#include "tests/unit/aws/aws_world.h"

static const char *const keys[] = {
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    "{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"hidden\",\"Token\":\"token\","
    "\"Expiration\":\"2015-05-07T16:49:51Z\"}",
    NULL};

static const char place[] = "the role of this container (its credentials service)";

struct fixture {
    struct aws_world world;
    struct stub_server *server;
    char url[AWS_SOURCE_URL_MAX_BYTES];
};

static void container_begin(struct fixture *fixture, const char *const *answers)
{
    aws_world_init(&fixture->world);
    fixture->server = stub_server_new(answers);
    (void)snprintf(fixture->url, sizeof(fixture->url), "%s/v2/hidden-path",
                   stub_server_url(fixture->server));
    aws_world_set(&fixture->world, "AWS_CONTAINER_CREDENTIALS_FULL_URI", fixture->url);
}

static void container_end(struct fixture *fixture)
{
    aws_world_release(&fixture->world);
    stub_server_free(fixture->server);
}

static void the_service_is_asked_with_the_token_of_the_environment(void **state)
{
    struct fixture fixture;

    (void)state;
    container_begin(&fixture, keys);
    aws_world_expect(&fixture.world, aws_source_container, place);
    assert_true(fixture.world.found.copy.expires_ms == INT64_C(1431017391000));
    assert_null(strstr(stub_server_request(fixture.server), "Authorization"));
    aws_world_set(&fixture.world, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic abc=");
    aws_world_expect(&fixture.world, aws_source_container, place);
    assert_non_null(strstr(stub_server_request(fixture.server), "GET /v2/hidden-path HTTP"));
    assert_non_null(
        strstr(stub_server_request(fixture.server), "\r\nAuthorization: Basic abc=\r\n"));
    container_end(&fixture);
}

/* A proxy would tell of its own role, and see the keys. */
static void container_no_proxy_is_asked(void **state)
{
    struct stub_server *proxy = stub_server_new(keys);
    struct fixture fixture;

    (void)state;
    container_begin(&fixture, keys);
    assert_int_equal(setenv("http_proxy", stub_server_url(proxy), 1), 0);
    aws_world_expect(&fixture.world, aws_source_container, place);
    assert_int_equal(unsetenv("http_proxy"), 0);
    assert_int_equal(stub_server_count(proxy), 0);
    container_end(&fixture);
    stub_server_free(proxy);
}

static void the_token_of_a_file_counts_more_and_is_read_again(void **state)
{
    char *folder = temporary_folder_new();
    char *path = aws_world_file(folder, "token", "first\n");
    struct fixture fixture;

    (void)state;
    container_begin(&fixture, keys);
    aws_world_set(&fixture.world, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "other");
    aws_world_set(&fixture.world, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path);
    aws_world_expect(&fixture.world, aws_source_container, place);
    assert_non_null(strstr(stub_server_request(fixture.server), "\r\nAuthorization: first\r\n"));
    free(aws_world_file(folder, "token", "second"));
    aws_world_expect(&fixture.world, aws_source_container, place);
    assert_non_null(strstr(stub_server_request(fixture.server), "\r\nAuthorization: second\r\n"));
    free(aws_world_file(folder, "token", "\x01hidden"));
    aws_world_expect_failure(&fixture.world, aws_source_container, ERROR_UNAVAILABLE,
                             "the container's authorization token is empty");
    aws_world_set(&fixture.world, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/nowhere/at/all");
    aws_world_expect_failure(&fixture.world, aws_source_container, ERROR_UNAVAILABLE,
                             "the container's token /nowhere/at/all: there is no such file");
    container_end(&fixture);
    free(path);
    temporary_folder_free(folder);
}

static void failures_name_the_service_but_not_its_address(void **state)
{
    static const char *const refusal[] = {"HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n",
                                          NULL};
    static const char *const failure[] = {
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"code\":\"AccessDenied\"}", NULL};
    static const char *const nothing[] = {"", NULL};
    struct fixture fixture;

    (void)state;
    container_begin(&fixture, refusal);
    aws_world_expect_failure(&fixture.world, aws_source_container, ERROR_UNAVAILABLE,
                             "the container's credentials service answered 401");
    container_end(&fixture);
    container_begin(&fixture, failure);
    aws_world_expect_failure(&fixture.world, aws_source_container, ERROR_UNAVAILABLE,
                             "the container's credentials service: the answer is the error "
                             "AccessDenied");
    container_end(&fixture);
    container_begin(&fixture, nothing);
    aws_world_expect_failure(&fixture.world, aws_source_container, ERROR_UNAVAILABLE, "127.0.0.1");
    container_end(&fixture);
}

/* Port 9 (discard) of loopback: there nobody answers. */
static void without_tls_only_this_machine_and_its_host_are_asked(void **state)
{
    static const char *const refused[] = {
        "http://example.org/hidden",
        "http://10.0.0.1/",
        "http://169.254.169.254/",
        "http://127.0.0.1@10.0.0.1/",
        "http://127.0.0.1:80@10.0.0.1/",
        "http://[::1]@10.0.0.1/",
        "http://[::1].example.org/",
        "http://[fd00:ec2::24]/",
        "http://[::1",
        "http://127.0.0.1.example.org/",
        "http://127.1/",
        "http://localhost.example.org/",
        "http://example.org#127.0.0.1/",
        "http:///",
        "http:/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "127.0.0.1",
    };
    static const char *const asked[] = {
        "http://127.0.0.1:9/", "http://127.0.0.1:9?a", "http://[::1]:9/x",
        "http://localhost:9",  "https://127.0.0.1:9",
    };
    struct fixture fixture;

    (void)state;
    container_begin(&fixture, keys);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        aws_world_set(&fixture.world, "AWS_CONTAINER_CREDENTIALS_FULL_URI", refused[i]);
        aws_world_expect_failure(&fixture.world, aws_source_container, ERROR_UNAVAILABLE,
                                 "AWS_CONTAINER_CREDENTIALS_FULL_URI must be of https");
    }
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        aws_world_set(&fixture.world, "AWS_CONTAINER_CREDENTIALS_FULL_URI", asked[i]);
        aws_world_expect_failure(&fixture.world, aws_source_container, ERROR_UNAVAILABLE,
                                 "cannot be asked");
    }
    container_end(&fixture);
}

static void without_an_address_there_is_no_service(void **state)
{
    struct fixture fixture;

    (void)state;
    container_begin(&fixture, keys);
    aws_world_set(&fixture.world, "AWS_CONTAINER_CREDENTIALS_FULL_URI", NULL);
    aws_world_expect_failure(&fixture.world, aws_source_container, ERROR_NOT_FOUND, "is not set");
    aws_world_set(&fixture.world, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@10.0.0.1/hidden");
    aws_world_expect_failure(&fixture.world, aws_source_container, ERROR_UNAVAILABLE,
                             "must begin with a slash");
    assert_int_equal(stub_server_count(fixture.server), 0);
    container_end(&fixture);
}

#define ANSWER "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
#define KEYS                                                                                       \
    "{\"Code\":\"Success\",\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"hidden\","               \
    "\"Token\":\"token\",\"Expiration\":\"2015-05-07T16:49:51Z\"}"

static void instance_begin(struct aws_world *world, struct stub_server **server_out,
                           const char *const *answers)
{
    aws_world_init(world);
    *server_out = stub_server_new(answers);
    aws_world_set(world, "AWS_EC2_METADATA_SERVICE_ENDPOINT", stub_server_url(*server_out));
}

static void instance_end(struct aws_world *world, struct stub_server *server)
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
    instance_begin(&world, &server, answers);
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
    instance_end(&world, server);
}

/* A proxy would tell of its own role, and see the keys. */
static void instance_no_proxy_is_asked(void **state)
{
    static const char *const answers[] = {ANSWER "session", ANSWER "Role", ANSWER KEYS, NULL};
    struct stub_server *proxy = stub_server_new(answers);
    struct stub_server *server = NULL;
    struct aws_world world;

    (void)state;
    instance_begin(&world, &server, answers);
    assert_int_equal(setenv("http_proxy", stub_server_url(proxy), 1), 0);
    aws_world_expect(&world, aws_source_instance,
                     "the role Role of this instance (instance metadata)");
    assert_int_equal(unsetenv("http_proxy"), 0);
    assert_int_equal(stub_server_count(proxy), 0);
    instance_end(&world, server);
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
    instance_begin(&world, &server, answers);
    aws_world_expect_failure(&world, aws_source_instance, ERROR_UNAVAILABLE,
                             "gave no session token (status 403)");
    request = stub_server_request(server);
    assert_int_equal(strncmp(request, "PUT /latest/api/token HTTP/1.1\r\n", 32), 0);
    assert_non_null(strstr(request, "\r\nX-aws-ec2-metadata-token-ttl-seconds: 300\r\n"));
    instance_end(&world, server);
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

        instance_begin(&world, &server, cases[i].answers);
        aws_world_expect_failure(&world, aws_source_instance, cases[i].code, cases[i].message);
        instance_end(&world, server);
    }
}

static void the_service_can_be_switched_off(void **state)
{
    static const char *const answers[] = {ANSWER "session", NULL};
    struct aws_world world;
    struct stub_server *server = NULL;

    (void)state;
    instance_begin(&world, &server, answers);
    aws_world_set(&world, "AWS_EC2_METADATA_DISABLED", "True");
    aws_world_expect_failure(&world, aws_source_instance, ERROR_NOT_FOUND,
                             "AWS_EC2_METADATA_DISABLED is true");
    assert_int_equal(stub_server_count(server), 0);
    aws_world_set(&world, "AWS_EC2_METADATA_DISABLED", "false");
    assert_int_not_equal(aws_source_instance(&world.config, &world.found, NULL), OK);
    assert_true(stub_server_count(server) > 0);
    instance_end(&world, server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_service_is_asked_with_the_token_of_the_environment),
        cmocka_unit_test(container_no_proxy_is_asked),
        cmocka_unit_test(the_token_of_a_file_counts_more_and_is_read_again),
        cmocka_unit_test(failures_name_the_service_but_not_its_address),
        cmocka_unit_test(without_tls_only_this_machine_and_its_host_are_asked),
        cmocka_unit_test(without_an_address_there_is_no_service),
        cmocka_unit_test(the_role_gives_keys_in_a_session),
        cmocka_unit_test(instance_no_proxy_is_asked),
        cmocka_unit_test(a_session_is_asked_for_first),
        cmocka_unit_test(what_the_service_lacks_is_said),
        cmocka_unit_test(the_service_can_be_switched_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
