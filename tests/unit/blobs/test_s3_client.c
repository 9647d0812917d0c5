#include "blobs/s3_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "blobs/s3_objects.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/blobs/s3_world.h"

#define REFUSED(status, code)                                                                      \
    S3_HEAD(status, "Content-Type: application/xml\r\n") "<Error><Code>" code "</Code></Error>"

static enum error_code do_once(struct s3_world *world, const struct s3_request *request,
                               struct s3_answer *answer, struct error *err)
{
    struct s3_client *client = s3_client_new(&world->client_config);
    const enum error_code code = s3_objects_do(client, request, answer, err);

    s3_client_free(client);
    return code;
}

static int64_t number(const struct s3_world *world, const char *name)
{
    return metrics_number(world->client_config.metrics, "pierone_s3", NULL, name);
}

static void what_passes_is_repeated(void **state)
{
    static const char *const rows[][4] = {
        {S3_DONE, NULL},
        {S3_SLOW_DOWN, S3_DONE, NULL},
        {S3_SLOW_DOWN, S3_SLOW_DOWN, S3_DONE, NULL},
        {REFUSED("500 Oops", "InternalError"), S3_DONE, NULL},
        {REFUSED("400 Bad", "RequestTimeout"), S3_DONE, NULL},
        {REFUSED("409 Conflict", "OperationAborted"), S3_DONE, NULL},
        {REFUSED("400 Bad", "BadDigest"), S3_DONE, NULL},
        {REFUSED("400 Bad", "KMS.ThrottlingException"), S3_DONE, NULL},
        {S3_HEAD("502 x", ""), S3_HEAD("504 x", ""), S3_DONE, NULL},
        {S3_HEAD("429 x", ""), S3_DONE, NULL},
        {"", S3_DONE, NULL},                                                /* a reset */
        {S3_HEAD("200 OK", "Content-Length: 9\r\n") "half", S3_DONE, NULL}, /* half an answer */
        {"HTTP/1.1 20", S3_DONE, NULL},                                     /* half a head */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct s3_request request = {.method = "GET", .key = "a/key"};
        struct s3_world world;
        struct s3_answer answer;
        int count = 0;

        while (rows[i][count]) {
            count++;
        }
        s3_world_init(&world, rows[i]);
        world.client_config.metrics = metrics_new();
        assert_int_equal(do_once(&world, &request, &answer, NULL), OK);
        assert_int_equal(answer.http.status, 200);
        assert_string_equal(answer.http.body.text, S3_RESULT);
        assert_int_equal(stub_server_count(world.server), count);
        assert_int_equal(number(&world, "attempt_seconds"), count);
        assert_int_equal(number(&world, "retries_total"), count - 1);
        assert_int_equal(number(&world, "failures_total"), 0);
        metrics_free(world.client_config.metrics);
        s3_answer_release(&answer);
        s3_world_release(&world);
    }
}

static void refusals_are_told_in_plain_words(void **state)
{
    static const struct {
        const char *answers[2];
        enum error_code code;
        const char *words;
        int repeated;
    } rows[] = {
        {{REFUSED("404 x", "NoSuchKey")}, ERROR_NOT_FOUND, "no such object", 0},
        {{REFUSED("404 x", "NoSuchUpload")}, ERROR_NOT_FOUND, "finished, aborted or expired", 0},
        {{S3_HEAD("404 x", "")}, ERROR_NOT_FOUND, "404", 0},
        {{REFUSED("404 x", "NoSuchBucket")}, ERROR_UNAVAILABLE, "create the bucket", 0},
        {{REFUSED("403 x", "AccessDenied")}, ERROR_UNAVAILABLE, "docs/storage.md", 0},
        {{REFUSED("403 x", "SignatureDoesNotMatch")}, ERROR_UNAVAILABLE, "secret key is wrong", 0},
        {{REFUSED("403 x", "InvalidAccessKeyId")}, ERROR_UNAVAILABLE, "access key is unknown", 1},
        {{REFUSED("403 x", "RequestTimeTooSkewed")}, ERROR_UNAVAILABLE, "clock", 0},
        {{REFUSED("400 x", "ExpiredToken")}, ERROR_UNAVAILABLE, "renew the credentials", 1},
        {{REFUSED("301 x", "PermanentRedirect")},
         ERROR_UNAVAILABLE,
         "correct storage.s3.region",
         0},
        {{REFUSED("400 x", "KMS.DisabledException")}, ERROR_UNAVAILABLE, "enable it", 0},
        {{REFUSED("400 x", "KMS.NotFoundException")}, ERROR_UNAVAILABLE, "storage.s3.kms_key", 0},
        {{REFUSED("400 x", "KMS.SomethingNew")}, ERROR_UNAVAILABLE, "look at the KMS key", 0},
        {{S3_HEAD("403 x", "")}, ERROR_UNAVAILABLE, "check credentials and permissions", 0},
        {{S3_HEAD("301 x", "x-amz-bucket-region: eu-central-1\r\n")},
         ERROR_UNAVAILABLE,
         "its region is eu-central-1",
         0},
        {{REFUSED("403 x", "QuotaExceeded")}, ERROR_NO_SPACE, "quota", 0},
        {{S3_HEAD("507 x", "")}, ERROR_NO_SPACE, "507", 0},
        {{S3_HEAD("418 x", "")}, ERROR_UNAVAILABLE, "check the settings", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct s3_request request = {.method = "GET", .key = "a/key"};
        struct s3_world world;
        struct s3_answer answer;
        struct error err = {0};

        s3_world_init(&world, rows[i].answers);
        assert_int_equal(do_once(&world, &request, &answer, &err), rows[i].code);
        assert_non_null(strstr(err.message, rows[i].words));
        assert_non_null(strstr(err.message, "bucket layers at 127.0.0.1:"));
        assert_null(strstr(err.message, "sesame"));
        assert_int_equal(stub_server_count(world.server), 1 + rows[i].repeated);
        s3_answer_release(&answer);
        s3_world_release(&world);
    }
}

/* Moves on by 100 ms whenever somebody looks. */
static _Atomic int64_t ticks;

static int64_t tick(const struct clock *clock)
{
    (void)clock;
    return 100 * ++ticks;
}

/* Links, too, are signed by the clock that counts. */
static void a_clock_that_s3_finds_wrong_is_corrected_by_its_own(void **state)
{
    static const char *const answers[] = {
        S3_HEAD("403 x",
                "Date: Thu, 01 Jan 2015 10:00:00 GMT\r\n") "<Error><Code>RequestTimeTooSkewed</"
                                                           "Code></Error>",
        S3_DONE, NULL};
    const struct s3_request request = {.method = "GET", .key = "a/key"};
    struct s3_world world;
    struct s3_client *client = NULL;
    struct s3_answer answer;
    struct strbuf url;

    (void)state;
    s3_world_init(&world, answers);
    client = s3_client_new(&world.client_config);
    assert_int_equal(s3_client_skew_ms(client), 0);
    assert_int_equal(s3_objects_do(client, &request, &answer, NULL), OK);
    assert_int_equal(stub_server_count(world.server), 2);
    assert_non_null(strstr(stub_server_heads(world.server), "x-amz-date: 20150101T100"));
    assert_true(s3_client_skew_ms(client) < 0);
    strbuf_init(&url, 4096);
    assert_int_equal(s3_client_link(client, "a/key", 60, &url, NULL), OK);
    assert_non_null(strstr(url.text, "X-Amz-Date=20150101T100"));
    strbuf_release(&url);
    s3_answer_release(&answer);
    s3_client_free(client);
    s3_world_release(&world);
}

static void an_s3_that_refuses_its_own_clock_is_asked_twice(void **state)
{
    static const char *const answers[] = {
        S3_HEAD("403 x",
                "Date: Thu, 01 Jan 2015 10:00:00 GMT\r\n") "<Error><Code>RequestTimeTooSkewed</"
                                                           "Code></Error>",
        NULL};
    const struct s3_request request = {.method = "GET", .key = "a/key"};
    struct s3_world world;
    struct s3_answer answer;
    struct error err = {0};

    (void)state;
    s3_world_init(&world, answers);
    assert_int_equal(do_once(&world, &request, &answer, &err), ERROR_UNAVAILABLE);
    assert_non_null(strstr(err.message, "clock is wrong"));
    assert_int_equal(stub_server_count(world.server), 2);
    s3_answer_release(&answer);
    s3_world_release(&world);
}

static const char *container(const void *context, const char *name)
{
    return strcmp(name, "AWS_CONTAINER_CREDENTIALS_FULL_URI") == 0 ? context : NULL;
}

#define CONTAINER_KEYS(id)                                                                         \
    S3_HEAD("200 OK", "")                                                                          \
    "{\"AccessKeyId\":\"" id "\",\"SecretAccessKey\":\"s\",\"Token\":\"t\","                       \
    "\"Expiration\":\"2999-05-07T15:54:51Z\"}"

static void keys_that_have_expired_too_early_are_renewed_at_once(void **state)
{
    static const char *const answers[] = {CONTAINER_KEYS("OLD"), REFUSED("400 x", "ExpiredToken"),
                                          CONTAINER_KEYS("NEW"), S3_DONE, NULL};
    const struct s3_request request = {.method = "GET", .key = "a/key"};
    struct s3_world world;
    struct aws_credentials_config config = {
        .variable = container, .region = "us-east-1", .clock = &clock_system};
    struct s3_answer answer;

    (void)state;
    s3_world_init(&world, answers);
    aws_credentials_free(world.credentials);
    config.context = stub_server_url(world.server);
    config.client = world.http;
    assert_int_equal(aws_credentials_new(&config, &world.credentials, NULL), OK);
    world.client_config.credentials = world.credentials;
    assert_int_equal(do_once(&world, &request, &answer, NULL), OK);
    assert_int_equal(stub_server_count(world.server), 4);
    assert_non_null(strstr(stub_server_heads(world.server), "Credential=NEW/"));
    s3_answer_release(&answer);
    s3_world_release(&world);
}

static void an_s3_that_stays_slow_is_given_up_with_a_time_to_come_back(void **state)
{
    static const char *const answers[] = {S3_SLOW_DOWN, NULL};
    const struct s3_request request = {.method = "GET", .key = "a/key"};
    struct s3_world world;
    struct s3_answer answer;
    struct fake_clock clock;
    struct error err = {0};

    (void)state;
    s3_world_init(&world, answers);
    fake_clock_init(&clock);
    clock.clock.monotonic_ms = tick;
    world.client_config.clock = &clock.clock;
    world.client_config.retry_ms = 300;
    assert_int_equal(do_once(&world, &request, &answer, &err), ERROR_UNAVAILABLE);
    assert_non_null(strstr(err.message, "SlowDown"));
    assert_true(err.retry_after_s > 0);
    assert_int_equal(stub_server_count(world.server), 3);
    s3_answer_release(&answer);
    s3_world_release(&world);
}

static void an_s3_that_hangs_is_given_up(void **state)
{
    static const char *const answers[] = {stub_server_hang, NULL};
    const struct s3_request request = {.method = "GET", .key = "a/key"};
    struct s3_world world;
    struct s3_answer answer;
    struct error err = {0};

    (void)state;
    s3_world_init(&world, answers);
    world.client_config.timeout_ms = 50;
    world.client_config.retry_ms = 1;
    assert_int_equal(do_once(&world, &request, &answer, &err), ERROR_UNAVAILABLE);
    assert_non_null(strstr(err.message, "no answer in time"));
    s3_answer_release(&answer);
    s3_world_release(&world);
}

static void an_error_behind_a_success_is_an_error_where_s3_does_that(void **state)
{
    static const char *const answers[] = {
        S3_HEAD("200 OK", "") "<Error><Code>AccessDenied</Code></Error>", NULL};
    struct s3_request request = {.method = "POST", .key = "a/key", .body = STR_LITERAL("")};
    struct s3_world world;
    struct s3_answer answer;

    (void)state;
    s3_world_init(&world, answers);
    assert_int_equal(do_once(&world, &request, &answer, NULL), ERROR_UNAVAILABLE);
    s3_answer_release(&answer);
    request.method = "GET"; /* then it is what was asked for */
    assert_int_equal(do_once(&world, &request, &answer, NULL), OK);
    s3_answer_release(&answer);
    s3_world_release(&world);
}

/* S3 may begin with 200, keep the connection alive with spaces, and fail or fall silent. */
static void a_success_without_its_result_is_none(void **state)
{
    static const char *const bodies[] = {
        "", "\n   ", "<CompleteMultipartUploadResult><ETag>01",
        "<CompleteMultipartUploadResult><Key>a/key</Key></CompleteMultipartUploadResult>"};

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        char first[256];
        const char *const answers[] = {first, S3_DONE, NULL};
        struct s3_request request = {
            .method = "POST", .key = "a/key", .body = STR_LITERAL(""), .result = "ETag"};
        struct s3_world world;
        struct s3_answer answer;
        struct error err = {0};

        (void)snprintf(first, sizeof(first), S3_HEAD("200 OK", "") "%s", bodies[i]);
        s3_world_init(&world, answers);
        assert_int_equal(do_once(&world, &request, &answer, NULL), OK);
        assert_int_equal(stub_server_count(world.server), 2);
        s3_answer_release(&answer);
        s3_world_release(&world);

        s3_world_init(&world, answers);
        request.is_quick = true;
        assert_int_equal(do_once(&world, &request, &answer, &err), ERROR_UNAVAILABLE);
        assert_non_null(strstr(err.message, "200 (without its result)"));
        s3_answer_release(&answer);
        s3_world_release(&world);
    }
}

static void requests_are_addressed_and_signed(void **state)
{
    static const char *const answers[] = {S3_DONE, NULL};
    const struct aws_pair query[] = {{STR_LITERAL("uploads"), STR_LITERAL("")}, {{0}, {0}}};
    const struct aws_pair headers[] = {{STR_LITERAL("if-none-match"), STR_LITERAL("*")},
                                       {{0}, {0}}};
    const struct s3_request request = {.method = "PUT",
                                       .key = "a/key",
                                       .query = query,
                                       .headers = headers,
                                       .body = STR_LITERAL("content")};
    struct s3_world world;
    struct s3_answer answer;
    const char *heads = NULL;

    (void)state;
    s3_world_init(&world, answers);
    assert_int_equal(do_once(&world, &request, &answer, NULL), OK);
    assert_true(str_is(outbound_answer_field(&answer.http, "etag"), "\"0123\""));
    heads = stub_server_heads(world.server);
    assert_non_null(strstr(heads, "PUT /layers/a/key?uploads= HTTP/1.1\r\n"));
    assert_non_null(strstr(heads, "if-none-match: *\r\n"));
    assert_non_null(strstr(heads, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"));
    assert_non_null(strstr(heads, "x-amz-content-sha256: "
                                  "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"
                                  "\r\n"));
    assert_null(strstr(heads, "sesame"));
    s3_answer_release(&answer);
    s3_world_release(&world);
}

static void links_lead_to_the_bucket(void **state)
{
    static const struct {
        const char *endpoint;
        const char *public_endpoint;
        bool uses_path;
        const char *begin;
    } rows[] = {
        {NULL, NULL, false, "https://layers.s3.us-east-1.amazonaws.com/a/key?"},
        {NULL, NULL, true, "https://s3.us-east-1.amazonaws.com/layers/a/key?"},
        {"http://s3.example.org:9000", NULL, true, "http://s3.example.org:9000/layers/a/key?"},
        {"https://s3.example.org/", NULL, false, "https://layers.s3.example.org/a/key?"},
        {"http://in", "https://out.example.org", true, "https://out.example.org/layers/a/key?"},
    };
    static const char *const answers[] = {S3_DONE, NULL};
    struct s3_world world;

    (void)state;
    s3_world_init(&world, answers);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s3_client *client = NULL;
        struct strbuf url;

        world.client_config.endpoint = rows[i].endpoint;
        world.client_config.public_endpoint = rows[i].public_endpoint;
        world.client_config.uses_path = rows[i].uses_path;
        client = s3_client_new(&world.client_config);
        strbuf_init(&url, 4096);
        assert_int_equal(s3_client_link(client, "a/key", 60, &url, NULL), OK);
        assert_true(str_starts_with(strbuf_str(&url), rows[i].begin));
        assert_non_null(strstr(url.text, "X-Amz-Expires=60"));
        assert_non_null(strstr(url.text, "X-Amz-SignedHeaders=host"));
        strbuf_release(&url);
        s3_client_free(client);
    }
    s3_world_release(&world);
}

/* S3 takes no link longer than the session that signed it, and a link is to say so. */
static void links_end_with_the_keys_that_sign_them(void **state)
{
    static const struct {
        unsigned lifetime_s;
        const char *expires;
    } rows[] = {{60, "X-Amz-Expires=60&"}, {3600, "X-Amz-Expires=299&"}};
    static const char *const answers[] = {
        S3_HEAD("200 OK", "") "{\"AccessKeyId\":\"ID\",\"SecretAccessKey\":\"s\",\"Token\":\"t\","
                              "\"Expiration\":\"2015-05-07T15:54:51Z\"}",
        NULL};
    struct fake_clock clock;
    struct s3_world world;
    struct aws_credentials_config config = {
        .variable = container, .region = "us-east-1", .clock = &clock.clock};

    (void)state;
    fake_clock_init(&clock); /* 2015-05-07T15:49:51.230Z */
    s3_world_init(&world, answers);
    aws_credentials_free(world.credentials);
    config.context = stub_server_url(world.server);
    config.client = world.http;
    assert_int_equal(aws_credentials_new(&config, &world.credentials, NULL), OK);
    world.client_config.credentials = world.credentials;
    world.client_config.clock = &clock.clock;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s3_client *client = s3_client_new(&world.client_config);
        struct strbuf url;

        strbuf_init(&url, 4096);
        assert_int_equal(s3_client_link(client, "a/key", rows[i].lifetime_s, &url, NULL), OK);
        assert_non_null(strstr(url.text, rows[i].expires));
        strbuf_release(&url);
        s3_client_free(client);
    }
    s3_world_release(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_passes_is_repeated),
        cmocka_unit_test(refusals_are_told_in_plain_words),
        cmocka_unit_test(an_s3_that_stays_slow_is_given_up_with_a_time_to_come_back),
        cmocka_unit_test(an_s3_that_hangs_is_given_up),
        cmocka_unit_test(a_clock_that_s3_finds_wrong_is_corrected_by_its_own),
        cmocka_unit_test(an_s3_that_refuses_its_own_clock_is_asked_twice),
        cmocka_unit_test(keys_that_have_expired_too_early_are_renewed_at_once),
        cmocka_unit_test(an_error_behind_a_success_is_an_error_where_s3_does_that),
        cmocka_unit_test(a_success_without_its_result_is_none),
        cmocka_unit_test(requests_are_addressed_and_signed),
        cmocka_unit_test(links_lead_to_the_bucket),
        cmocka_unit_test(links_end_with_the_keys_that_sign_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
