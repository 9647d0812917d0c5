#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api_world.h"
#include "tests/support/faulty_store.h"

#define CONTENT "0123456789"
#define UNKNOWN_DIGEST "sha256:0000000000000000000000000000000000000000000000000000000000000000"

struct fixture {
    struct api_world world;
    struct reply reply;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    api_world_init(&fixture.world);
    reply_init(&fixture.reply);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    reply_release(&fixture->reply);
    api_world_release(&fixture->world);
    return 0;
}

static struct reply *ask(struct fixture *fixture, const char *line, const char *fields)
{
    api_world_ask(&fixture->world, &(struct question){.line = line, .fields = fields},
                  &fixture->reply);
    return &fixture->reply;
}

/* Pushes the content if needed, names it, and asks for it. */
static struct reply *get(struct fixture *fixture, const char *method, const char *fields)
{
    char digest[DIGEST_TEXT_BYTES];
    char line[512];

    api_world_push_blob(&fixture->world, str_from(CONTENT), digest);
    api_world_name_blob(&fixture->world, digest);
    (void)snprintf(line, sizeof(line), "%s /v2/any/repository/blobs/%s", method, digest);
    return ask(fixture, line, fields);
}

static void blob_comes_whole_from_any_repository(void **state)
{
    const struct reply *reply = get(*state, "GET", NULL);

    assert_int_equal(reply->status, 200);
    assert_string_equal(reply->body.text, CONTENT);
    assert_true(reply_has(reply, "Content-Type: application/octet-stream"));
    assert_true(reply_has(reply, "Accept-Ranges: bytes"));
    assert_true(reply_has(reply, "Cache-Control: private, max-age=31536000, immutable"));
    assert_true(str_starts_with(reply_field(reply, "Docker-Content-Digest"), "sha256:84d8"));
    assert_true(str_starts_with(reply_field(reply, "ETag"), "\"sha256:84d8"));
}

static void head_tells_the_same_without_the_content(void **state)
{
    const struct reply *reply = get(*state, "HEAD", "Range: bytes=0-1\r\n");

    assert_int_equal(reply->status, 200);
    assert_true(str_starts_with(reply_field(reply, "Docker-Content-Digest"), "sha256:84d8"));
}

static void small_blob_is_recalled_on_the_loop(void **state)
{
    const struct reply *reply = get(*state, "GET", NULL);

    assert_true(reply->was_on[HTTP_WORKER]);
    reply = get(*state, "GET", NULL);
    assert_false(reply->was_on[HTTP_WORKER]);
    assert_string_equal(reply->body.text, CONTENT);
    assert_true(reply_has(reply, "Content-Type: application/octet-stream"));
    assert_true(str_starts_with(reply_field(reply, "ETag"), "\"sha256:84d8"));
    reply = get(*state, "GET", "Range: bytes=2-4\r\n");
    assert_false(reply->was_on[HTTP_WORKER]);
    assert_int_equal(reply->status, 206);
    assert_string_equal(reply->body.text, "234");
    assert_true(reply_has(reply, "Content-Range: bytes 2-4/10"));
    reply = get(*state, "GET", "Range: bytes=10-\r\n");
    assert_false(reply->was_on[HTTP_WORKER]);
    assert_int_equal(reply->status, 416);
    assert_true(reply_has(reply, "Content-Range: bytes */10"));
    reply = get(*state, "HEAD", NULL);
    assert_false(reply->was_on[HTTP_WORKER]);
    assert_int_equal(reply->status, 200);
}

/* That it is there is remembered, its bytes are not. */
static void large_blob_is_recalled_for_head_alone(void **state)
{
    static char content[128 * 1024];
    struct fixture *fixture = *state;
    char digest[DIGEST_TEXT_BYTES];
    char line[512];

    api_world_push_blob(&fixture->world, (struct str){content, sizeof(content)}, digest);
    api_world_name_blob(&fixture->world, digest);
    (void)snprintf(line, sizeof(line), "HEAD /v2/team/app/blobs/%s", digest);
    assert_true(ask(fixture, line, NULL)->was_on[HTTP_WORKER]);
    assert_int_equal(ask(fixture, line, NULL)->status, 200);
    assert_false(fixture->reply.was_on[HTTP_WORKER]);
    (void)snprintf(line, sizeof(line), "GET /v2/team/app/blobs/%s", digest);
    assert_true(ask(fixture, line, NULL)->was_on[HTTP_WORKER]);
    assert_int_equal(fixture->reply.body.length, sizeof(content));
}

static void blob_that_was_never_pushed_is_unknown(void **state)
{
    struct fixture *fixture = *state;

    assert_true(reply_is_error(ask(fixture, "GET /v2/team/app/blobs/" UNKNOWN_DIGEST, NULL), 404,
                               "BLOB_UNKNOWN"));
    assert_int_equal(ask(fixture, "HEAD /v2/team/app/blobs/" UNKNOWN_DIGEST, NULL)->status, 404);
}

static void what_is_no_digest_is_refused(void **state)
{
    static const char *const lines[] = {
        "GET /v2/team/app/blobs/latest",
        "GET /v2/team/app/blobs/sha256:",
        "GET /v2/team/app/blobs/..",
        "GET /v2/team/app/blobs/uploads",
        "GET /v2/team/app/blobs/sha256:..%2f..%2f..%2fetc%2fpasswd",
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        if (!reply_is_error(ask(fixture, lines[i], NULL), 400, "DIGEST_INVALID")) {
            fail_msg("%s: %d", lines[i], fixture->reply.status);
        }
    }
}

static void digest_may_be_percent_encoded(void **state)
{
    struct fixture *fixture = *state;
    char digest[DIGEST_TEXT_BYTES];
    char line[512];

    api_world_push_blob(&fixture->world, str_from(CONTENT), digest);
    (void)snprintf(line, sizeof(line), "GET /v2/team/app/blobs/sha256%%3A%s",
                   digest + strlen("sha256:"));
    assert_int_equal(ask(fixture, line, NULL)->status, 200);
}

static void part_is_served_as_asked_for(void **state)
{
    static const struct {
        const char *range;
        int status;
        const char *body;
        const char *told;
    } cases[] = {
        {"Range: bytes=2-5\r\n", 206, "2345", "Content-Range: bytes 2-5/10"},
        {"Range: bytes=7-\r\n", 206, "789", "Content-Range: bytes 7-9/10"},
        {"Range: bytes=-3\r\n", 206, "789", "Content-Range: bytes 7-9/10"},
        {"Range: bytes=8-99\r\n", 206, "89", "Content-Range: bytes 8-9/10"},
        {"Range: bytes=0-9\r\n", 206, CONTENT, "Content-Range: bytes 0-9/10"},
        {"Range: bytes=0-1,4-5\r\n", 206, "012345", "Content-Range: bytes 0-5/10"},
        {"Range: bytes=0-1,20-\r\n", 206, "01", "Content-Range: bytes 0-1/10"},
        {"Range: bytes=0-1,5\r\n", 200, CONTENT, "Accept-Ranges: bytes"},
        {"Range: lines=0-1\r\n", 200, CONTENT, "Accept-Ranges: bytes"},
        {"Range: bytes=5-2\r\n", 200, CONTENT, "Accept-Ranges: bytes"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct reply *reply = get(fixture, "GET", cases[i].range);

        assert_int_equal(reply->status, cases[i].status);
        assert_string_equal(reply->body.text, cases[i].body);
        assert_true(reply_has(reply, cases[i].told));
    }
}

/* From a file at first; what is small comes from memory then. */
static void several_parts_are_served_in_one_answer(void **state)
{
    static const size_t sizes[] = {1000, 128 * 1024};
    static char content[128 * 1024];
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(content); i++) {
        content[i] = (char)('a' + i % 26);
    }
    for (size_t i = 0; i < 2 * ARRAY_LEN(sizes); i++) {
        const size_t size = sizes[i / 2];
        char digest[DIGEST_TEXT_BYTES];
        char boundary[64];
        char line[512];
        char wanted[1024];
        const struct reply *reply = NULL;
        struct str type;

        api_world_push_blob(&fixture->world, (struct str){content, size}, digest);
        api_world_name_blob(&fixture->world, digest);
        (void)snprintf(line, sizeof(line), "GET /v2/team/app/blobs/%s", digest);
        reply = ask(fixture, line, "Range: bytes=500-502,-2,0-0\r\n");
        assert_int_equal(reply->status, 206);
        assert_true(reply->was_on[HTTP_WORKER] == (i != 1));
        assert_null(reply_field(reply, "Content-Range").bytes);
        type = reply_field(reply, "Content-Type");
        assert_true(str_starts_with(type, "multipart/byteranges; boundary="));
        type = str_from_index(type, strlen("multipart/byteranges; boundary="));
        (void)snprintf(boundary, sizeof(boundary), "%.*s", STR_FORMAT(type));
        assert_int_equal(strlen(boundary), 32);
        (void)snprintf(wanted, sizeof(wanted),
                       "--%s\r\nContent-Type: application/octet-stream\r\n"
                       "Content-Range: bytes 500-502/%zu\r\n\r\n%.3s"
                       "\r\n--%s\r\nContent-Type: application/octet-stream\r\n"
                       "Content-Range: bytes %zu-%zu/%zu\r\n\r\n%.2s"
                       "\r\n--%s\r\nContent-Type: application/octet-stream\r\n"
                       "Content-Range: bytes 0-0/%zu\r\n\r\na\r\n--%s--\r\n",
                       boundary, size, content + 500, boundary, size - 2, size - 1, size,
                       content + size - 2, boundary, size, boundary);
        assert_string_equal(reply->body.text, wanted);
        assert_int_equal(
            ask(fixture, line, "Range: bytes=500-502,-2\r\nIf-Range: \"x\"\r\n")->status, 200);
    }
}

static void part_beyond_the_end_is_an_error_that_nobody_keeps(void **state)
{
    const struct reply *reply = get(*state, "GET", "Range: bytes=10-\r\n");

    assert_true(reply_is_error(reply, 416, "SIZE_INVALID"));
    assert_true(reply_has(reply, "Content-Range: bytes */10"));
    assert_true(reply_has(reply, "Cache-Control: no-store"));
    assert_null(strstr(reply->headers.text, "immutable"));
}

static void part_of_another_version_is_not_served(void **state)
{
    struct fixture *fixture = *state;
    const struct str etag = reply_field(get(fixture, "GET", NULL), "ETag");
    char fields[512];

    (void)snprintf(fields, sizeof(fields), "Range: bytes=0-1\r\nIf-Range: %.*s\r\n",
                   STR_FORMAT(etag));
    assert_int_equal(get(fixture, "GET", fields)->status, 206);
    assert_int_equal(get(fixture, "GET", "Range: bytes=0-1\r\nIf-Range: \"x\"\r\n")->status, 200);
}

static void known_blob_is_not_sent_again(void **state)
{
    struct fixture *fixture = *state;
    const struct str etag = reply_field(get(fixture, "GET", NULL), "ETag");
    char fields[512];

    (void)snprintf(fields, sizeof(fields), "Range: bytes=0-1\r\nIf-None-Match: %.*s\r\n",
                   STR_FORMAT(etag));
    assert_int_equal(get(fixture, "GET", fields)->status, 304);
    assert_true(reply_has(&fixture->reply, "Cache-Control: private, max-age=31536000, immutable"));
    assert_int_equal(get(fixture, "GET", "If-None-Match: \"x\"\r\n")->status, 200);
}

static void empty_blob_is_a_blob(void **state)
{
    struct fixture *fixture = *state;
    char digest[DIGEST_TEXT_BYTES];
    char line[512];

    api_world_push_blob(&fixture->world, str_from(""), digest);
    (void)snprintf(line, sizeof(line), "GET /v2/team/app/blobs/%s", digest);
    assert_int_equal(ask(fixture, line, NULL)->status, 200);
    assert_int_equal(fixture->reply.body.length, 0);
    assert_int_equal(ask(fixture, line, "Range: bytes=0-\r\n")->status, 416);
}

static void store_that_fails_is_told_as_such(void **state)
{
    struct fixture *fixture = *state;
    char digest[DIGEST_TEXT_BYTES];
    char line[512];

    api_world_push_blob(&fixture->world, str_from(CONTENT), digest);
    (void)snprintf(line, sizeof(line), "GET /v2/team/app/blobs/%s", digest);
    faulty_store_fail_at(fixture->world.blobs, 1, ERROR_UNAVAILABLE);
    assert_true(reply_is_error(ask(fixture, line, NULL), 503, "UNAVAILABLE"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(blob_comes_whole_from_any_repository, set_up, tear_down),
        cmocka_unit_test_setup_teardown(head_tells_the_same_without_the_content, set_up, tear_down),
        cmocka_unit_test_setup_teardown(small_blob_is_recalled_on_the_loop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(large_blob_is_recalled_for_head_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(blob_that_was_never_pushed_is_unknown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_digest_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(digest_may_be_percent_encoded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(part_is_served_as_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(several_parts_are_served_in_one_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(part_beyond_the_end_is_an_error_that_nobody_keeps, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(part_of_another_version_is_not_served, set_up, tear_down),
        cmocka_unit_test_setup_teardown(known_blob_is_not_sent_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(empty_blob_is_a_blob, set_up, tear_down),
        cmocka_unit_test_setup_teardown(store_that_fails_is_told_as_such, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
