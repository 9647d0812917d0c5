#include "api/errors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "guarded_world.h"
#include "http/syntax.h"

static const struct {
    enum error_code code;
    enum error_topic topic;
    int status;
    const char *oci_code;
} answers[] = {
    {ERROR_INVALID, ABOUT_NAME, 400, "NAME_INVALID"},
    {ERROR_INVALID, ABOUT_TAG, 400, "TAG_INVALID"},
    {ERROR_INVALID, ABOUT_DIGEST, 400, "DIGEST_INVALID"},
    {ERROR_INVALID, ABOUT_SIZE, 400, "SIZE_INVALID"},
    {ERROR_INVALID, ABOUT_UPLOAD, 400, "BLOB_UPLOAD_INVALID"},
    {ERROR_INVALID, ABOUT_MANIFEST, 400, "MANIFEST_INVALID"},
    {ERROR_INVALID, ABOUT_PAGE, 400, "PAGINATION_NUMBER_INVALID"},
    {ERROR_INVALID, ABOUT_NOTHING, 400, "UNSUPPORTED"},
    {ERROR_UNAUTHENTICATED, ABOUT_NOTHING, 401, "UNAUTHORIZED"},
    {ERROR_DENIED, ABOUT_NOTHING, 403, "DENIED"},
    {ERROR_DENIED, ABOUT_NAME, 403, "DENIED"},
    {ERROR_DENIED, ABOUT_PUSH, 403, "DENIED"},
    {ERROR_DENIED, ABOUT_UPLOAD, 403, "DENIED"},
    {ERROR_NOT_FOUND, ABOUT_NAME, 404, "NAME_UNKNOWN"},
    {ERROR_NOT_FOUND, ABOUT_TAG, 404, "MANIFEST_UNKNOWN"},
    {ERROR_NOT_FOUND, ABOUT_MANIFEST, 404, "MANIFEST_UNKNOWN"},
    {ERROR_NOT_FOUND, ABOUT_BLOB, 404, "BLOB_UNKNOWN"},
    {ERROR_NOT_FOUND, ABOUT_UPLOAD, 404, "BLOB_UPLOAD_UNKNOWN"},
    {ERROR_NOT_FOUND, ABOUT_REFERENCED, 404, "MANIFEST_BLOB_UNKNOWN"},
    {ERROR_NOT_FOUND, ABOUT_NOTHING, 404, "UNSUPPORTED"},
    {ERROR_CONFLICT, ABOUT_TAG, 409, "DENIED"},
    {ERROR_CONFLICT, ABOUT_UPLOAD, 409, "BLOB_UPLOAD_INVALID"},
    {ERROR_OUT_OF_RANGE, ABOUT_UPLOAD, 416, "BLOB_UPLOAD_INVALID"},
    {ERROR_OUT_OF_RANGE, ABOUT_BLOB, 416, "SIZE_INVALID"},
    {ERROR_TOO_LARGE, ABOUT_MANIFEST, 413, "SIZE_INVALID"},
    {ERROR_TOO_LARGE, ABOUT_SIZE, 413, "DENIED"},
    {ERROR_TOO_LARGE, ABOUT_TAG, 414, "SIZE_INVALID"},
    {ERROR_UNSUPPORTED, ABOUT_NOTHING, 405, "UNSUPPORTED"},
    {ERROR_UNSUPPORTED, ABOUT_MANIFEST, 415, "UNSUPPORTED"},
    {ERROR_NO_SPACE, ABOUT_NOTHING, 507, "UNAVAILABLE"},
    {ERROR_UNAVAILABLE, ABOUT_TAG, 503, "UNAVAILABLE"},
    {ERROR_INTERNAL, ABOUT_NOTHING, 500, "UNKNOWN"},
};

struct fixture {
    struct http_exchange exchange;
    struct call call;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.call.exchange = &fixture.exchange};
    http_response_init(&fixture.exchange.response);
    arena_init(&fixture.exchange.arena, 4096);
    strbuf_init(&fixture.call.written, RESPONSE_MAX_BYTES);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    http_response_release(&fixture->exchange.response);
    arena_release(&fixture->exchange.arena);
    strbuf_release(&fixture->call.written);
    return 0;
}

static void failure_has_its_status_and_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        const struct error_response answer = errors_find(answers[i].code, answers[i].topic);

        if (answer.status != answers[i].status || strcmp(answer.code, answers[i].oci_code) != 0) {
            fail_msg("row %zu came to %d %s", i, answer.status, answer.code);
        }
    }
}

/* Whatever a function returns has an answer, even if nobody thought of that topic. */
static void each_code_has_an_answer_for_each_topic(void **state)
{
    (void)state;
    for (int code = ERROR_INVALID; code <= ERROR_INTERNAL; code++) {
        for (int topic = ABOUT_NOTHING; topic <= ABOUT_READING; topic++) {
            const struct error_response answer =
                errors_find((enum error_code)code, (enum error_topic)topic);
            const struct str reason = str_from(answer.reason);

            assert_true(answer.status >= 400 && answer.status <= 599);
            assert_true(reason.length <= 40);
            assert_int_equal(http_span_value(reason), reason.length);
            assert_true(answer.status != 500 || code == ERROR_INTERNAL);
        }
    }
}

static void what_a_push_is_refused_for_is_the_reason(void **state)
{
    (void)state;
    assert_string_equal(errors_find(ERROR_CONFLICT, ABOUT_TAG).reason, "Tag Is Immutable");
    assert_string_equal(errors_find(ERROR_DENIED, ABOUT_NAME).reason,
                        "Repository Is Not team/artifact");
    assert_string_equal(errors_find(ERROR_DENIED, ABOUT_PUSH).reason, "No Right To Push There");
    assert_null(errors_find(ERROR_CONFLICT, ABOUT_UPLOAD).reason);
}

static void body_is_the_specification_s(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    const enum error_code code = error_set_about(&err, ABOUT_TAG, ERROR_INVALID, "not \"a\" tag\n");

    errors_respond(&fixture->call, code, &err);
    assert_int_equal(fixture->exchange.response.status, 400);
    assert_true(
        str_is(fixture->exchange.response.body,
               "{\"errors\":[{\"code\":\"TAG_INVALID\",\"message\":\"not \\\"a\\\" tag\\n\"}]}"));
    assert_non_null(
        strstr(fixture->exchange.response.headers.text, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(fixture->exchange.response.headers.text, "Cache-Control: no-store\r\n"));
}

static void each_detail_is_an_error(void **state)
{
    static const struct str details[] = {STR_LITERAL("1"), STR_LITERAL("{}")};
    struct fixture *fixture = *state;
    struct error err;
    const enum error_code code =
        error_set_about(&err, ABOUT_REFERENCED, ERROR_NOT_FOUND, "missing");

    fixture->call.details = details;
    fixture->call.detail_count = ARRAY_LEN(details);
    errors_respond(&fixture->call, code, &err);
    assert_true(
        str_is(fixture->exchange.response.body,
               "{\"errors\":["
               "{\"code\":\"MANIFEST_BLOB_UNKNOWN\",\"message\":\"missing\",\"detail\":1},"
               "{\"code\":\"MANIFEST_BLOB_UNKNOWN\",\"message\":\"missing\",\"detail\":{}}]}"));
}

static void what_was_half_written_is_dropped(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    strbuf_append_text(&fixture->call.written, "{\"tags\":[");
    errors_respond(&fixture->call, ERROR_TOO_LARGE, &err);
    assert_true(str_starts_with(fixture->exchange.response.body, "{\"errors\":["));
}

static void our_faults_are_for_the_log_only(void **state)
{
    static const enum error_code codes[] = {ERROR_INTERNAL, ERROR_UNAVAILABLE, ERROR_NO_SPACE};
    struct fixture *fixture = *state;
    struct error err;

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        (void)error_set(&err, codes[i], "secret path");
        errors_respond(&fixture->call, codes[i], &err);
        assert_null(strstr(fixture->call.written.text, "secret"));
        assert_string_equal(fixture->call.failure, "secret path");
    }
}

static void unavailable_says_when_to_come_again(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    errors_respond(&fixture->call, ERROR_INTERNAL, &err);
    assert_null(strstr(fixture->exchange.response.headers.text, "Retry-After"));
    errors_respond(&fixture->call, ERROR_UNAVAILABLE, &err);
    assert_non_null(strstr(fixture->exchange.response.headers.text, "Retry-After: 5\r\n"));
}

static void status_of_the_server_has_a_body_too(void **state)
{
    struct fixture *fixture = *state;

    errors_respond_status(&fixture->call, 503, errors_code_of_status(503), "full");
    assert_int_equal(fixture->exchange.response.status, 503);
    assert_true(str_is(fixture->exchange.response.body,
                       "{\"errors\":[{\"code\":\"UNAVAILABLE\",\"message\":\"full\"}]}"));
    assert_non_null(strstr(fixture->exchange.response.headers.text, "Retry-After: 5\r\n"));
    assert_string_equal(errors_code_of_status(413), "SIZE_INVALID");
    assert_string_equal(errors_code_of_status(400), "UNSUPPORTED");
}

#define PLACE "Bearer realm=\"http://registry.example/v2/token\",service=\"registry.example\""

static void a_challenge_says_what_is_needed(void **state)
{
    static const struct {
        const char *line;
        const char *authorization;
        const char *challenge;
    } rows[] = {
        {"GET /v2/", NULL, PLACE},
        {"GET /v2/", "Bearer wrong", PLACE ",error=\"invalid_token\""},
        {"GET /v2/a/b/manifests/1", NULL, PLACE ",scope=\"repository:a/b:pull\""},
        {"HEAD /v2/a/b/c/blobs/x", NULL, PLACE ",scope=\"repository:a/b/c:pull\""},
        {"GET /v2/a/b/tags/list", NULL, PLACE ",scope=\"repository:a/b:pull\""},
        {"PUT /v2/a/b/manifests/1", NULL, PLACE ",scope=\"repository:a/b:pull,push\""},
        {"POST /v2/a/b/blobs/uploads/", "Bearer wrong",
         PLACE ",scope=\"repository:a/b:pull,push\",error=\"invalid_token\""},
        {"PATCH /v2/a/b/blobs/uploads/x", NULL, PLACE ",scope=\"repository:a/b:pull,push\""},
        {"GET /teams", NULL, PLACE ",scope=\"registry:catalog:*\""},
        {"GET /teams/a/artifacts/b%2Fc/tags", NULL, PLACE ",scope=\"repository:a/b/c:pull\""},
        {"GET /v1/repositories/a/b/tags", NULL, PLACE ",scope=\"repository:a/b:pull\""},
        {"GET /v2/_catalog", NULL, PLACE ",scope=\"registry:catalog:*\""},
        {"GET /v2/A%22/b/manifests/1", NULL, PLACE}, /* no repository's name */
        {"GET /v2/token", NULL, "Basic realm=\"pierone\", charset=\"UTF-8\""},
    };
    struct guarded_world *world = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct reply *reply = guarded_world_ask(world, rows[i].line, rows[i].authorization);

        assert_int_equal(reply->status, 401);
        assert_true(str_is(reply_field(reply, "WWW-Authenticate"), rows[i].challenge));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failure_has_its_status_and_code),
        cmocka_unit_test(each_code_has_an_answer_for_each_topic),
        cmocka_unit_test(what_a_push_is_refused_for_is_the_reason),
        cmocka_unit_test_setup_teardown(body_is_the_specification_s, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_detail_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_half_written_is_dropped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(our_faults_are_for_the_log_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unavailable_says_when_to_come_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(status_of_the_server_has_a_body_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_challenge_says_what_is_needed, guarded_world_set_up,
                                        guarded_world_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
