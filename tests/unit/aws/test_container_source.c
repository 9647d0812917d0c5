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

static void begin(struct fixture *fixture, const char *const *answers)
{
    aws_world_init(&fixture->world);
    fixture->server = stub_server_new(answers);
    (void)snprintf(fixture->url, sizeof(fixture->url), "%s/v2/hidden-path",
                   stub_server_url(fixture->server));
    aws_world_set(&fixture->world, "AWS_CONTAINER_CREDENTIALS_FULL_URI", fixture->url);
}

static void end(struct fixture *fixture)
{
    aws_world_release(&fixture->world);
    stub_server_free(fixture->server);
}

static void the_service_is_asked_with_the_token_of_the_environment(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, keys);
    aws_world_expect(&fixture.world, aws_source_container, place);
    assert_true(fixture.world.found.copy.expires_ms == INT64_C(1431017391000));
    assert_null(strstr(stub_server_request(fixture.server), "Authorization"));
    aws_world_set(&fixture.world, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic abc=");
    aws_world_expect(&fixture.world, aws_source_container, place);
    assert_non_null(strstr(stub_server_request(fixture.server), "GET /v2/hidden-path HTTP"));
    assert_non_null(
        strstr(stub_server_request(fixture.server), "\r\nAuthorization: Basic abc=\r\n"));
    end(&fixture);
}

/* A proxy would tell of its own role, and see the keys. */
static void no_proxy_is_asked(void **state)
{
    struct stub_server *proxy = stub_server_new(keys);
    struct fixture fixture;

    (void)state;
    begin(&fixture, keys);
    assert_int_equal(setenv("http_proxy", stub_server_url(proxy), 1), 0);
    aws_world_expect(&fixture.world, aws_source_container, place);
    assert_int_equal(unsetenv("http_proxy"), 0);
    assert_int_equal(stub_server_count(proxy), 0);
    end(&fixture);
    stub_server_free(proxy);
}

static void the_token_of_a_file_counts_more_and_is_read_again(void **state)
{
    char *folder = temporary_folder_new();
    char *path = aws_world_file(folder, "token", "first\n");
    struct fixture fixture;

    (void)state;
    begin(&fixture, keys);
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
    end(&fixture);
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
    begin(&fixture, refusal);
    aws_world_expect_failure(&fixture.world, aws_source_container, ERROR_UNAVAILABLE,
                             "the container's credentials service answered 401");
    end(&fixture);
    begin(&fixture, failure);
    aws_world_expect_failure(&fixture.world, aws_source_container, ERROR_UNAVAILABLE,
                             "the container's credentials service: the answer is the error "
                             "AccessDenied");
    end(&fixture);
    begin(&fixture, nothing);
    aws_world_expect_failure(&fixture.world, aws_source_container, ERROR_UNAVAILABLE, "127.0.0.1");
    end(&fixture);
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
    begin(&fixture, keys);
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
    end(&fixture);
}

static void without_an_address_there_is_no_service(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, keys);
    aws_world_set(&fixture.world, "AWS_CONTAINER_CREDENTIALS_FULL_URI", NULL);
    aws_world_expect_failure(&fixture.world, aws_source_container, ERROR_NOT_FOUND, "is not set");
    aws_world_set(&fixture.world, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@10.0.0.1/hidden");
    aws_world_expect_failure(&fixture.world, aws_source_container, ERROR_UNAVAILABLE,
                             "must begin with a slash");
    assert_int_equal(stub_server_count(fixture.server), 0);
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_service_is_asked_with_the_token_of_the_environment),
        cmocka_unit_test(no_proxy_is_asked),
        cmocka_unit_test(the_token_of_a_file_counts_more_and_is_read_again),
        cmocka_unit_test(failures_name_the_service_but_not_its_address),
        cmocka_unit_test(without_tls_only_this_machine_and_its_host_are_asked),
        cmocka_unit_test(without_an_address_there_is_no_service),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
