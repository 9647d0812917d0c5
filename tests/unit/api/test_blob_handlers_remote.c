#include "api/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api_world.h"
#include "tests/support/blob_helper.h"
#include "tests/support/faulty_store.h"

enum { LARGE_BYTES = 2 * HTTP_SOURCE_PIECE_MAX_BYTES + 100 };

struct fixture {
    struct api_world world;
    struct reply reply;
    char digest[DIGEST_TEXT_BYTES];
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

/* Pushes the content to a store that is another server from then on. */
static void push(struct fixture *fixture, struct str content, bool is_linked)
{
    api_world_push_blob(&fixture->world, content, fixture->digest);
    faulty_store_be_remote(fixture->world.blobs, is_linked);
}

static struct reply *ask(struct fixture *fixture, const char *method, const char *fields)
{
    char line[512];

    (void)snprintf(line, sizeof(line), "%s /v2/team/app/blobs/%s", method, fixture->digest);
    api_world_ask(&fixture->world, &(struct question){.line = line, .fields = fields},
                  &fixture->reply);
    return &fixture->reply;
}

static void blob_comes_through_in_pieces(void **state)
{
    struct fixture *fixture = *state;
    char *bytes = test_bytes_new(LARGE_BYTES, 3);
    const struct str content = {bytes, LARGE_BYTES};
    const struct reply *reply = NULL;

    push(fixture, content, false);
    reply = ask(fixture, "GET", NULL);
    assert_int_equal(reply->status, 200);
    assert_true(reply->was_on[HTTP_CARRIER]);
    assert_false(reply->is_cut);
    assert_true(str_equal(strbuf_str(&reply->body), content));
    reply = ask(fixture, "GET", "Range: bytes=1000000-1999999\r\n");
    assert_int_equal(reply->status, 206);
    assert_true(str_equal(strbuf_str(&reply->body), str_slice(content, 1000000, 2000000)));
    reply = ask(fixture, "GET", "Range: bytes=1000-1500000,2000000-2000009\r\n");
    assert_int_equal(reply->status, 206);
    assert_false(reply->is_cut);
    assert_memory_equal(strstr(reply->body.text, "\r\n\r\n") + 4, bytes + 1000, 1499001);
    free(bytes);
}

static void head_and_empty_blobs_ask_nobody(void **state)
{
    struct fixture *fixture = *state;
    const struct reply *reply = NULL;

    push(fixture, str_from("content"), false);
    faulty_store_fail_at(fixture->world.blobs, 0, OK);
    reply = ask(fixture, "HEAD", NULL);
    assert_int_equal(reply->status, 200);
    assert_false(reply->was_on[HTTP_CARRIER]);
    assert_int_equal(faulty_store_calls(fixture->world.blobs), 1); /* where it is */
    api_world_push_blob(&fixture->world, str_from(""), fixture->digest);
    faulty_store_fail_at(fixture->world.blobs, 0, OK);
    reply = ask(fixture, "GET", NULL);
    assert_int_equal(reply->status, 200);
    assert_int_equal(reply->body.length, 0);
    assert_false(reply->was_on[HTTP_CARRIER]);
    assert_int_equal(faulty_store_calls(fixture->world.blobs), 1);
}

static void what_cannot_be_had_at_all_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    const struct reply *reply = NULL;

    push(fixture, str_from("content"), false);
    faulty_store_fail_at(fixture->world.blobs, 3, ERROR_UNAVAILABLE); /* where it is, twice */
    reply = ask(fixture, "GET", NULL);
    assert_true(reply_is_error(reply, 503, "UNAVAILABLE"));
    assert_true(reply_has(reply, "Cache-Control: no-store"));
    assert_true(str_starts_with(reply_field(reply, "Cache-Control"), "no-store"));
    assert_null(reply_field(reply, "ETag").bytes);
}

static void parts_that_cannot_be_had_are_an_error(void **state)
{
    struct fixture *fixture = *state;
    char *bytes = test_bytes_new(LARGE_BYTES, 3);

    push(fixture, (struct str){bytes, LARGE_BYTES}, false);
    faulty_store_fail_at(fixture->world.blobs, 3, ERROR_UNAVAILABLE);
    assert_true(
        reply_is_error(ask(fixture, "GET", "Range: bytes=0-9,5000-5009\r\n"), 503, "UNAVAILABLE"));
    assert_true(str_is(reply_field(&fixture->reply, "Content-Type"), "application/json"));
    free(bytes);
}

static void what_breaks_in_the_middle_is_cut_and_logged(void **state)
{
    struct fixture *fixture = *state;
    char *bytes = test_bytes_new(LARGE_BYTES, 3);
    const struct reply *reply = NULL;
    struct strbuf log;

    push(fixture, (struct str){bytes, LARGE_BYTES}, false);
    faulty_store_fail_at(fixture->world.blobs, 4, ERROR_UNAVAILABLE);
    reply = ask(fixture, "GET", NULL);
    assert_int_equal(reply->status, 200);
    assert_true(reply->is_cut);
    assert_int_equal(reply->body.length, HTTP_SOURCE_PIECE_MAX_BYTES);
    strbuf_init(&log, 100000);
    api_world_read_log(&fixture->world, &log);
    assert_non_null(strstr(log.text, "download_failed"));
    strbuf_release(&log);
    free(bytes);
}

/* The end of it is never sent; and a range of it is its client's to check. */
static void what_is_damaged_never_arrives_whole(void **state)
{
    struct fixture *fixture = *state;
    char *bytes = test_bytes_new(LARGE_BYTES, 3);
    const struct reply *reply = NULL;
    struct strbuf log;

    push(fixture, (struct str){bytes, LARGE_BYTES}, false);
    faulty_store_damage(fixture->world.blobs);
    reply = ask(fixture, "GET", NULL);
    assert_int_equal(reply->status, 200);
    assert_true(reply->is_cut);
    assert_int_equal(reply->body.length, 2 * HTTP_SOURCE_PIECE_MAX_BYTES);
    strbuf_init(&log, 100000);
    api_world_read_log(&fixture->world, &log);
    assert_non_null(strstr(log.text, "download_failed"));
    assert_non_null(strstr(log.text, "holds other bytes"));
    strbuf_release(&log);
    assert_int_equal(ask(fixture, "GET", "Range: bytes=10-19\r\n")->status, 206);
    free(bytes);
}

static void what_is_small_and_damaged_is_an_error(void **state)
{
    struct fixture *fixture = *state;

    push(fixture, str_from("content"), false);
    faulty_store_damage(fixture->world.blobs);
    assert_true(reply_is_error(ask(fixture, "GET", NULL), 500, "UNKNOWN"));
    assert_null(strstr(fixture->reply.body.text, "content"));
}

static void too_many_at_once_are_told_to_come_back(void **state)
{
    struct fixture *fixture = *state;
    char line[512];
    struct reply other;
    struct question second = {.line = line};
    const struct question first = {.line = line, .after = &second, .other = &other};

    reply_init(&other);
    push(fixture, str_from("content"), false);
    (void)snprintf(line, sizeof(line), "GET /v2/team/app/blobs/%s", fixture->digest);
    api_world_ask(&fixture->world, &first, &fixture->reply);
    assert_int_equal(fixture->reply.status, 200);
    assert_true(reply_is_error(&other, 503, "UNAVAILABLE"));
    assert_non_null(reply_field(&other, "Retry-After").bytes);
    /* And there is room again. */
    api_world_ask(&fixture->world, &second, &fixture->reply);
    assert_int_equal(fixture->reply.status, 200);
    reply_release(&other);
}

static void blob_that_is_linked_is_fetched_there(void **state)
{
    struct fixture *fixture = *state;
    const struct reply *reply = NULL;

    push(fixture, str_from("content"), true);
    reply = ask(fixture, "GET", "Range: bytes=1-2\r\n");
    assert_int_equal(reply->status, 307);
    assert_false(reply->was_on[HTTP_CARRIER]);
    assert_true(reply_has(reply, "Location: https://layers.example.org/7?signed"));
    assert_true(reply_has(reply, "Cache-Control: no-store"));
    assert_int_equal(reply->body.length, 0);
    reply = ask(fixture, "HEAD", NULL);
    assert_int_equal(reply->status, 200);
    assert_null(reply_field(reply, "Location").bytes);
    faulty_store_fail_at(fixture->world.blobs, 2, ERROR_UNAVAILABLE);
    assert_true(reply_is_error(ask(fixture, "GET", NULL), 503, "UNAVAILABLE"));
}

static void links_wait_for_credentials_where_others_do_not(void **state)
{
    struct fixture *fixture = *state;
    const struct reply *reply = NULL;

    push(fixture, str_from("content"), true);
    faulty_store_be_slow_with_links(fixture->world.blobs);
    reply = ask(fixture, "GET", NULL);
    assert_int_equal(reply->status, 307);
    assert_true(reply->was_on[HTTP_CARRIER]);
    assert_false(ask(fixture, "HEAD", NULL)->was_on[HTTP_CARRIER]);
}

static void uploads_tell_how_small_chunks_should_not_be(void **state)
{
    struct fixture *fixture = *state;

    push(fixture, str_from("content"), true);
    api_world_ask(&fixture->world, &(struct question){.line = "POST /v2/team/app/blobs/uploads/"},
                  &fixture->reply);
    assert_int_equal(fixture->reply.status, 202);
    assert_false(fixture->reply.was_on[HTTP_CARRIER]); /* nothing came that goes anywhere */
    assert_true(reply_has(&fixture->reply, "OCI-Chunk-Min-Length: 1024"));
}

static void whole_uploads_are_carried(void **state)
{
    struct fixture *fixture = *state;
    char line[512];

    push(fixture, str_from("content"), true);
    (void)snprintf(line, sizeof(line), "POST /v2/team/app/blobs/uploads/?digest=%s",
                   fixture->digest);
    api_world_ask(&fixture->world, &(struct question){.line = line, .body = str_from("content")},
                  &fixture->reply);
    assert_int_equal(fixture->reply.status, 201);
    assert_true(fixture->reply.was_on[HTTP_CARRIER]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(blob_comes_through_in_pieces),
        TEST(head_and_empty_blobs_ask_nobody),
        TEST(what_cannot_be_had_at_all_is_an_error),
        TEST(parts_that_cannot_be_had_are_an_error),
        TEST(what_breaks_in_the_middle_is_cut_and_logged),
        TEST(what_is_damaged_never_arrives_whole),
        TEST(what_is_small_and_damaged_is_an_error),
        TEST(too_many_at_once_are_told_to_come_back),
        TEST(blob_that_is_linked_is_fetched_there),
        TEST(links_wait_for_credentials_where_others_do_not),
        TEST(whole_uploads_are_carried),
        TEST(uploads_tell_how_small_chunks_should_not_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
