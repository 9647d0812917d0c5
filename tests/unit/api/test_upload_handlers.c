#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "tests/support/faulty_store.h"
#include "upload_world.h"

#define UNKNOWN_DIGEST "sha256:0000000000000000000000000000000000000000000000000000000000000000"

static void assert_at(struct upload_world *fixture, const char *range)
{
    char line[64];

    (void)snprintf(line, sizeof(line), "Range: %s", range);
    assert_int_equal(ask_upload(fixture, "GET", "", NULL, NULL)->status, 204);
    assert_true(reply_has(&fixture->reply, line));
}

static void assert_blob_is(struct upload_world *fixture, enum digest_algorithm algorithm,
                           const char *content)
{
    char line[512];

    (void)snprintf(line, sizeof(line), "GET /v2/other/app/blobs/%s",
                   digest_query(algorithm, content) + strlen("?digest="));
    assert_int_equal(ask(fixture, line, NULL, NULL)->status, 200);
    assert_string_equal(fixture->reply.body.text, content);
}

static void upload_begins_with_a_location_that_is_a_path(void **state)
{
    struct upload_world *fixture = *state;
    const struct reply *reply = ask(fixture, "POST " UPLOADS, NULL, "");
    const struct str location = reply_field(reply, "Location");

    assert_int_equal(reply->status, 202);
    assert_true(str_starts_with(location, UPLOADS));
    assert_true(str_equal(str_from_index(location, strlen(UPLOADS)),
                          reply_field(reply, "Docker-Upload-UUID")));
    assert_true(reply_has(reply, "Range: 0-0"));
    assert_int_equal(reply->body.length, 0);
}

static void blob_is_pushed_whole_with_put(void **state)
{
    struct upload_world *fixture = *state;
    const struct reply *reply = NULL;
    char location[256];

    begin_upload(fixture, "");
    reply = ask_upload(fixture, "PUT", digest_query(DIGEST_SHA256, "whole"), NULL, "whole");
    assert_int_equal(reply->status, 201);
    (void)snprintf(location, sizeof(location), "Location: /v2/team/app/blobs/%s",
                   digest_query(DIGEST_SHA256, "whole") + strlen("?digest="));
    assert_true(reply_has(reply, location));
    assert_blob_is(fixture, DIGEST_SHA256, "whole");
    assert_true(
        reply_is_error(ask_upload(fixture, "GET", "", NULL, NULL), 404, "BLOB_UPLOAD_UNKNOWN"));
}

static void blob_is_pushed_in_a_stream(void **state)
{
    struct upload_world *fixture = *state;
    char line[256];
    const struct question question = {
        .line = line, .body = STR_LITERAL("streamed"), .is_chunked = true};

    begin_upload(fixture, "");
    (void)snprintf(line, sizeof(line), "PATCH %s", fixture->location);
    api_world_ask(&fixture->world, &question, &fixture->reply);
    assert_int_equal(fixture->reply.status, 202);
    assert_true(reply_has(&fixture->reply, "Range: 0-7"));
    assert_true(str_is(reply_field(&fixture->reply, "Location"), fixture->location));
    assert_at(fixture, "0-7");
    assert_int_equal(
        ask_upload(fixture, "PUT", digest_query(DIGEST_SHA256, "streamed"), NULL, "")->status, 201);
    assert_blob_is(fixture, DIGEST_SHA256, "streamed");
}

static void blob_is_pushed_in_chunks(void **state)
{
    struct upload_world *fixture = *state;
    const char *query = NULL;

    begin_upload(fixture, "");
    assert_int_equal(ask_upload(fixture, "PATCH", "", "Content-Range: 0-3\r\n", "0123")->status,
                     202);
    assert_true(reply_has(&fixture->reply, "Range: 0-3"));
    assert_int_equal(
        ask_upload(fixture, "PATCH", "", "Content-Range: bytes 4-5/*\r\n", "45")->status, 202);
    assert_true(reply_has(&fixture->reply, "Range: 0-5"));
    query = digest_query(DIGEST_SHA256, "0123456789");
    assert_int_equal(ask_upload(fixture, "PUT", query, "Content-Range: 6-9\r\n", "6789")->status,
                     201);
    assert_blob_is(fixture, DIGEST_SHA256, "0123456789");
}

static void chunk_out_of_order_is_refused_with_where_to_go_on(void **state)
{
    static const struct {
        const char *method;
        const char *range;
    } cases[] = {
        {"PATCH", "Content-Range: 5-6\r\n"}, /* behind a gap */
        {"PATCH", "Content-Range: 0-1\r\n"}, /* again */
        {"PUT", "Content-Range: 3-4\r\n"},
    };
    struct upload_world *fixture = *state;

    begin_upload(fixture, "");
    (void)ask_upload(fixture, "PATCH", "", NULL, "0123");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct reply *reply = ask_upload(
            fixture, cases[i].method, digest_query(DIGEST_SHA256, "x"), cases[i].range, "xy");

        assert_true(reply_is_error(reply, 416, "BLOB_UPLOAD_INVALID"));
        assert_true(reply_has(reply, "Range: 0-3"));
        assert_true(str_is(reply_field(reply, "Location"), fixture->location));
        assert_false(reply->took_body);
        assert_at(fixture, "0-3");
    }
}

static void range_that_is_none_is_refused(void **state)
{
    static const char *const fields[] = {"Content-Range: x\r\n", "Content-Range: 4-2\r\n",
                                         "Content-Range: -\r\n", "Content-Range: bytes=0-1\r\n",
                                         "Content-Range: 0-99999999999999999999\r\n"};
    struct upload_world *fixture = *state;

    begin_upload(fixture, "");
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        assert_true(reply_is_error(ask_upload(fixture, "PATCH", "", fields[i], "xy"), 400,
                                   "BLOB_UPLOAD_INVALID"));
    }
    assert_at(fixture, "0-0");
}

static void chunk_of_another_length_than_its_range_is_refused(void **state)
{
    struct upload_world *fixture = *state;
    char line[256];
    const struct question streamed = {.line = line,
                                      .fields = "Content-Range: 0-9\r\n",
                                      .body = STR_LITERAL("short"),
                                      .is_chunked = true};

    begin_upload(fixture, "");
    assert_true(reply_is_error(ask_upload(fixture, "PATCH", "", "Content-Range: 0-9\r\n", "short"),
                               400, "SIZE_INVALID"));
    assert_false(fixture->reply.took_body);
    (void)snprintf(line, sizeof(line), "PATCH %s", fixture->location);
    api_world_ask(&fixture->world, &streamed, &fixture->reply);
    assert_true(reply_is_error(&fixture->reply, 400, "SIZE_INVALID"));
    assert_at(fixture, "0-0");
}

static void digest_must_be_there_and_well_formed(void **state)
{
    static const char *const queries[] = {
        "", "?digest=", "?digest=sha256:xyz", "?digest=md5:00", "?digest=%zz", "?other=x"};
    struct upload_world *fixture = *state;

    begin_upload(fixture, "");
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        assert_true(reply_is_error(ask_upload(fixture, "PUT", queries[i], NULL, "x"), 400,
                                   "DIGEST_INVALID"));
    }
    assert_at(fixture, "0-0");
}

static void wrong_digest_stores_nothing_and_can_be_corrected(void **state)
{
    struct upload_world *fixture = *state;

    begin_upload(fixture, "");
    (void)ask_upload(fixture, "PATCH", "", NULL, "right");
    assert_true(reply_is_error(ask_upload(fixture, "PUT", "?digest=" UNKNOWN_DIGEST, NULL, ""), 400,
                               "DIGEST_INVALID"));
    assert_true(reply_says(&fixture->reply, UNKNOWN_DIGEST));
    assert_int_equal(ask(fixture, "GET /v2/team/app/blobs/" UNKNOWN_DIGEST, NULL, NULL)->status,
                     404);
    assert_int_equal(
        ask_upload(fixture, "PUT", digest_query(DIGEST_SHA256, "right"), NULL, "")->status, 201);
}

static void blob_is_pushed_with_post_alone(void **state)
{
    struct upload_world *fixture = *state;
    char line[512];

    (void)snprintf(line, sizeof(line), "POST " UPLOADS "%s", digest_query(DIGEST_SHA256, "one"));
    assert_int_equal(ask(fixture, line, NULL, "one")->status, 201);
    assert_true(
        str_starts_with(reply_field(&fixture->reply, "Location"), "/v2/team/app/blobs/sha256:"));
    assert_true(str_starts_with(reply_field(&fixture->reply, "Docker-Content-Digest"), "sha256:"));
    assert_blob_is(fixture, DIGEST_SHA256, "one");
}

static void post_of_other_content_than_its_digest_leaves_nothing(void **state)
{
    struct upload_world *fixture = *state;

    assert_true(reply_is_error(ask(fixture, "POST " UPLOADS "?digest=" UNKNOWN_DIGEST, NULL, "one"),
                               400, "DIGEST_INVALID"));
    assert_true(reply_is_error(ask(fixture, "POST " UPLOADS "?digest=sha1:00", NULL, "one"), 400,
                               "DIGEST_INVALID"));
}

static void sha512_works_whether_announced_or_not(void **state)
{
    static const char *const announced[] = {"?digest-algorithm=sha512", ""};
    static const char *const contents[] = {"announced", "not announced"};
    struct upload_world *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(announced); i++) {
        begin_upload(fixture, announced[i]);
        (void)ask_upload(fixture, "PATCH", "", NULL, contents[i]);
        assert_int_equal(
            ask_upload(fixture, "PUT", digest_query(DIGEST_SHA512, contents[i]), NULL, "")->status,
            201);
        assert_blob_is(fixture, DIGEST_SHA512, contents[i]);
    }
}

static void unknown_algorithm_is_refused(void **state)
{
    assert_true(reply_is_error(ask(*state, "POST " UPLOADS "?digest-algorithm=md5", NULL, NULL),
                               400, "DIGEST_INVALID"));
}

static void blob_that_is_there_is_mounted_from_anywhere(void **state)
{
    static const char *const from[] = {"", "&from=team/app", "&from=no/such", "&from=!"};
    struct upload_world *fixture = *state;
    char digest[DIGEST_TEXT_BYTES];
    char line[512];

    api_world_push_blob(&fixture->world, str_from("shared"), digest);
    for (size_t i = 0; i < ARRAY_LEN(from); i++) {
        (void)snprintf(line, sizeof(line), "POST /v2/other/app/blobs/uploads/?mount=%s%s", digest,
                       from[i]);
        assert_int_equal(ask(fixture, line, NULL, "")->status, 201);
        assert_true(str_starts_with(reply_field(&fixture->reply, "Location"),
                                    "/v2/other/app/blobs/sha256:"));
    }
}

static void blob_that_is_missing_is_to_be_uploaded_instead(void **state)
{
    struct upload_world *fixture = *state;

    begin_upload(fixture, "?mount=" UNKNOWN_DIGEST "&from=team/app");
    assert_at(fixture, "0-0");
    assert_true(reply_is_error(ask(fixture, "POST " UPLOADS "?mount=x", NULL, NULL), 400,
                               "DIGEST_INVALID"));
}

static void upload_can_be_given_up(void **state)
{
    struct upload_world *fixture = *state;

    begin_upload(fixture, "");
    (void)ask_upload(fixture, "PATCH", "", NULL, "x");
    assert_int_equal(ask_upload(fixture, "DELETE", "", NULL, NULL)->status, 204);
    assert_true(
        reply_is_error(ask_upload(fixture, "GET", "", NULL, NULL), 404, "BLOB_UPLOAD_UNKNOWN"));
}

static void unknown_upload_is_told_whatever_is_asked(void **state)
{
    static const char *const methods[] = {"GET", "PATCH", "PUT", "DELETE"};
    static const char *const ids[] = {"no-such", "00000000000000000000000000000000", "..%2f..",
                                      "%ff"};
    struct upload_world *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        for (size_t j = 0; j < ARRAY_LEN(ids); j++) {
            (void)snprintf(fixture->location, sizeof(fixture->location), UPLOADS "%s", ids[j]);
            assert_true(reply_is_error(
                ask_upload(fixture, methods[i], "?digest=" UNKNOWN_DIGEST, NULL, NULL), 404,
                "BLOB_UPLOAD_UNKNOWN"));
        }
    }
}

static void upload_belongs_to_its_repository(void **state)
{
    struct upload_world *fixture = *state;
    char line[256];

    begin_upload(fixture, "");
    (void)snprintf(line, sizeof(line), "PATCH /v2/other/app/blobs/uploads/%s",
                   fixture->location + strlen(UPLOADS));
    assert_true(reply_is_error(ask(fixture, line, NULL, "x"), 404, "BLOB_UPLOAD_UNKNOWN"));
}

static void blob_that_says_it_is_too_large_is_not_taken(void **state)
{
    static const char content[] = "0123456789";
    struct upload_world *fixture = *state;
    const struct reply *reply = NULL;
    char line[512];

    faulty_store_limit_blobs(fixture->world.blobs, 9);
    (void)snprintf(line, sizeof(line), "POST " UPLOADS "%s", digest_query(DIGEST_SHA256, content));
    reply = ask(fixture, line, NULL, content);
    assert_true(reply_is_error(reply, 413, "DENIED"));
    assert_false(reply->took_body);
    begin_upload(fixture, "");
    reply = ask_upload(fixture, "PATCH", "", NULL, content);
    assert_true(reply_is_error(reply, 413, "DENIED"));
    assert_false(reply->took_body);
    assert_int_equal(ask_upload(fixture, "PATCH", "", NULL, "01234")->status, 202);
    reply = ask_upload(fixture, "PUT", digest_query(DIGEST_SHA256, content), NULL, "56789");
    assert_true(reply_is_error(reply, 413, "DENIED"));
    assert_false(reply->took_body);
    assert_at(fixture, "0-4");
}

static void broken_stream_counts_as_far_as_it_came(void **state)
{
    struct upload_world *fixture = *state;
    char line[256];
    const struct question question = {
        .line = line, .body = STR_LITERAL("0123456789"), .is_chunked = true, .breaks_off = true};

    begin_upload(fixture, "");
    (void)snprintf(line, sizeof(line), "PATCH %s", fixture->location);
    api_world_ask(&fixture->world, &question, &fixture->reply);
    assert_int_equal(fixture->reply.status, 0);
    assert_at(fixture, "0-4");
    assert_int_equal(
        ask_upload(fixture, "PUT", digest_query(DIGEST_SHA256, "0123456789"), NULL, "56789")
            ->status,
        201);
}

/* A chunk is whole or not at all, and an end is no chunk: both are simply sent again. */
static void broken_chunk_and_broken_end_count_for_nothing(void **state)
{
    struct upload_world *fixture = *state;
    char line[512];
    struct question question = {.line = line,
                                .fields = "Content-Range: 2-11\r\n",
                                .body = STR_LITERAL("0123456789"),
                                .breaks_off = true};

    begin_upload(fixture, "");
    (void)ask_upload(fixture, "PATCH", "", NULL, "xy");
    (void)snprintf(line, sizeof(line), "PATCH %s", fixture->location);
    api_world_ask(&fixture->world, &question, &fixture->reply);
    assert_at(fixture, "0-1");
    question.fields = NULL;
    (void)snprintf(line, sizeof(line), "PUT %s%s", fixture->location,
                   digest_query(DIGEST_SHA256, "xy0123456789"));
    api_world_ask(&fixture->world, &question, &fixture->reply);
    assert_at(fixture, "0-1");
    question.breaks_off = false;
    api_world_ask(&fixture->world, &question, &fixture->reply);
    assert_int_equal(fixture->reply.status, 201);
}

static void full_disk_is_told_and_the_upload_goes_on_later(void **state)
{
    struct upload_world *fixture = *state;

    begin_upload(fixture, "");
    (void)ask_upload(fixture, "PATCH", "", NULL, "kept ");
    faulty_store_fail_at(fixture->world.blobs, 3, ERROR_NO_SPACE);
    assert_true(
        reply_is_error(ask_upload(fixture, "PATCH", "", NULL, "and more"), 507, "UNAVAILABLE"));
    assert_false(fixture->reply.took_body);
    assert_at(fixture, "0-4");
    assert_int_equal(
        ask_upload(fixture, "PUT", digest_query(DIGEST_SHA256, "kept and more"), NULL, "and more")
            ->status,
        201);
}

static void two_requests_never_write_to_one_upload(void **state)
{
    struct upload_world *fixture = *state;
    char line[256];
    struct reply other;
    const struct question second = {.line = line, .body = STR_LITERAL("second")};
    const struct question first = {
        .line = line, .body = STR_LITERAL("first"), .during = &second, .other = &other};

    reply_init(&other);
    begin_upload(fixture, "");
    (void)snprintf(line, sizeof(line), "PATCH %s", fixture->location);
    api_world_ask(&fixture->world, &first, &fixture->reply);
    assert_true(reply_is_error(&other, 409, "BLOB_UPLOAD_INVALID"));
    assert_int_equal(fixture->reply.status, 202);
    assert_at(fixture, "0-4");
    reply_release(&other);
}

/* The client may use another connection as soon as it sees the answer. */
static void upload_is_free_again_once_its_answer_is_on_the_way(void **state)
{
    struct upload_world *fixture = *state;
    char line[256];
    struct reply other;
    const struct question second = {.line = line, .body = STR_LITERAL("second")};
    const struct question first = {
        .line = line, .body = STR_LITERAL("first"), .after = &second, .other = &other};

    reply_init(&other);
    begin_upload(fixture, "");
    (void)snprintf(line, sizeof(line), "PATCH %s", fixture->location);
    api_world_ask(&fixture->world, &first, &fixture->reply);
    assert_int_equal(fixture->reply.status, 202);
    assert_int_equal(other.status, 202);
    assert_true(reply_has(&other, "Range: 0-10"));
    reply_release(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(upload_begins_with_a_location_that_is_a_path,
                                        upload_world_set_up, upload_world_tear_down),
        cmocka_unit_test_setup_teardown(blob_is_pushed_whole_with_put, upload_world_set_up,
                                        upload_world_tear_down),
        cmocka_unit_test_setup_teardown(blob_is_pushed_in_a_stream, upload_world_set_up,
                                        upload_world_tear_down),
        cmocka_unit_test_setup_teardown(blob_is_pushed_in_chunks, upload_world_set_up,
                                        upload_world_tear_down),
        cmocka_unit_test_setup_teardown(chunk_out_of_order_is_refused_with_where_to_go_on,
                                        upload_world_set_up, upload_world_tear_down),
        cmocka_unit_test_setup_teardown(range_that_is_none_is_refused, upload_world_set_up,
                                        upload_world_tear_down),
        cmocka_unit_test_setup_teardown(chunk_of_another_length_than_its_range_is_refused,
                                        upload_world_set_up, upload_world_tear_down),
        cmocka_unit_test_setup_teardown(digest_must_be_there_and_well_formed, upload_world_set_up,
                                        upload_world_tear_down),
        cmocka_unit_test_setup_teardown(wrong_digest_stores_nothing_and_can_be_corrected,
                                        upload_world_set_up, upload_world_tear_down),
        cmocka_unit_test_setup_teardown(blob_is_pushed_with_post_alone, upload_world_set_up,
                                        upload_world_tear_down),
        cmocka_unit_test_setup_teardown(post_of_other_content_than_its_digest_leaves_nothing,
                                        upload_world_set_up, upload_world_tear_down),
        cmocka_unit_test_setup_teardown(sha512_works_whether_announced_or_not, upload_world_set_up,
                                        upload_world_tear_down),
        cmocka_unit_test_setup_teardown(unknown_algorithm_is_refused, upload_world_set_up,
                                        upload_world_tear_down),
        cmocka_unit_test_setup_teardown(blob_that_is_there_is_mounted_from_anywhere,
                                        upload_world_set_up, upload_world_tear_down),
        cmocka_unit_test_setup_teardown(blob_that_is_missing_is_to_be_uploaded_instead,
                                        upload_world_set_up, upload_world_tear_down),
        cmocka_unit_test_setup_teardown(upload_can_be_given_up, upload_world_set_up,
                                        upload_world_tear_down),
        cmocka_unit_test_setup_teardown(unknown_upload_is_told_whatever_is_asked,
                                        upload_world_set_up, upload_world_tear_down),
        cmocka_unit_test_setup_teardown(upload_belongs_to_its_repository, upload_world_set_up,
                                        upload_world_tear_down),
        cmocka_unit_test_setup_teardown(blob_that_says_it_is_too_large_is_not_taken,
                                        upload_world_set_up, upload_world_tear_down),
        cmocka_unit_test_setup_teardown(broken_stream_counts_as_far_as_it_came, upload_world_set_up,
                                        upload_world_tear_down),
        cmocka_unit_test_setup_teardown(broken_chunk_and_broken_end_count_for_nothing,
                                        upload_world_set_up, upload_world_tear_down),
        cmocka_unit_test_setup_teardown(full_disk_is_told_and_the_upload_goes_on_later,
                                        upload_world_set_up, upload_world_tear_down),
        cmocka_unit_test_setup_teardown(two_requests_never_write_to_one_upload, upload_world_set_up,
                                        upload_world_tear_down),
        cmocka_unit_test_setup_teardown(upload_is_free_again_once_its_answer_is_on_the_way,
                                        upload_world_set_up, upload_world_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
