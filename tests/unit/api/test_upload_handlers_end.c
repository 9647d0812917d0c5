#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "registry/uploads.h"
#include "upload_world.h"

/* Whoever's answer was lost asks again, and is answered the same. */
static void blob_that_was_pushed_is_pushed_again(void **state)
{
    struct upload_world *fixture = *state;
    const char *query = digest_query(DIGEST_SHA256, "whole");
    char location[256];

    begin_upload(fixture, "");
    (void)ask_upload(fixture, "PATCH", "", NULL, "who");
    assert_int_equal(ask_upload(fixture, "PUT", query, NULL, "le")->status, 201);
    (void)snprintf(location, sizeof(location), "Location: /v2/team/app/blobs/%s",
                   query + strlen("?digest="));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ask_upload(fixture, "PUT", query, NULL, i == 0 ? "le" : "")->status, 201);
        assert_true(reply_has(&fixture->reply, location));
        assert_true(fixture->reply.took_body);
    }
    assert_true(
        reply_is_error(ask_upload(fixture, "PUT", digest_query(DIGEST_SHA256, "other"), NULL, "le"),
                       404, "BLOB_UPLOAD_UNKNOWN"));
    assert_true(
        reply_is_error(ask_upload(fixture, "PATCH", "", NULL, "x"), 404, "BLOB_UPLOAD_UNKNOWN"));
    assert_true(
        reply_is_error(ask_upload(fixture, "DELETE", "", NULL, NULL), 404, "BLOB_UPLOAD_UNKNOWN"));
    fake_clock_advance(&fixture->world.clock, (int64_t)24 * 60 * 60 * 1000 + 1);
    assert_true(
        reply_is_error(ask_upload(fixture, "PUT", query, NULL, ""), 404, "BLOB_UPLOAD_UNKNOWN"));
}

static void upload_that_was_given_up_is_given_up_again(void **state)
{
    struct upload_world *fixture = *state;

    begin_upload(fixture, "");
    (void)ask_upload(fixture, "PATCH", "", NULL, "whole");
    assert_int_equal(ask_upload(fixture, "DELETE", "", NULL, NULL)->status, 204);
    assert_int_equal(ask_upload(fixture, "DELETE", "", NULL, NULL)->status, 204);
    assert_true(
        reply_is_error(ask_upload(fixture, "PUT", digest_query(DIGEST_SHA256, "whole"), NULL, ""),
                       404, "BLOB_UPLOAD_UNKNOWN"));
}

/* A server was killed between the blob and the record of it. */
static void blob_whose_end_nobody_recorded_is_pushed_again(void **state)
{
    static const char *const last[] = {"", "le"};
    struct upload_world *fixture = *state;
    const char *query = digest_query(DIGEST_SHA256, "whole");
    struct blob_upload rested = {.offset_bytes = 3};

    (void)ask(fixture, "POST " UPLOADS, NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(last); i++) {
        char digest[DIGEST_TEXT_BYTES];

        begin_upload(fixture, "");
        (void)ask_upload(fixture, "PATCH", "", NULL, "who");
        memcpy(rested.id, fixture->location + strlen(UPLOADS), sizeof(rested.id) - 1);
        assert_int_equal(blob_store_discard(fixture->world.memory, &rested, NULL), OK);
        if (i == 0) {
            assert_true(reply_is_error(ask_upload(fixture, "PUT", query, NULL, last[i]), 404,
                                       "BLOB_UPLOAD_UNKNOWN"));
        }
        api_world_push_blob(&fixture->world, str_from("whole"), digest);
        for (int k = 0; k < 2; k++) {
            assert_int_equal(ask_upload(fixture, "PUT", query, NULL, last[i])->status, 201);
        }
    }
}

/* The first request of two, which the second waits for. */
struct first {
    struct upload_world *fixture;
    struct upload *upload;
    const char *content; /* that it pushes; NULL: it fails */
    bool gives_up;
};

static void open_first(struct first *first, struct upload_world *fixture, bool ends)
{
    const struct upload_key key = {
        .repository = {.name = STR_LITERAL("team/app"), .team = STR_LITERAL("team")},
        .id = str_from(fixture->location + strlen(UPLOADS)),
        .identity = STR_LITERAL("anonymous"),
        .ends = ends,
    };

    *first = (struct first){.fixture = fixture};
    assert_int_equal(upload_open(fixture->world.registry, &key, &first->upload, NULL), OK);
    fixture->world.make_way_context = first;
}

static void end_first(void *context)
{
    struct first *first = context;

    if (first->content) {
        const struct digest digest = hasher_digest_of(DIGEST_SHA256, str_from(first->content));

        assert_int_equal(upload_commit(first->upload, &digest, NULL), OK);
    }
    if (first->gives_up) {
        assert_int_equal(upload_cancel(first->upload, NULL), OK);
    }
    upload_close(first->upload);
}

static void the_second_end_of_an_upload_waits_for_the_first(void **state)
{
    struct upload_world *fixture = *state;
    const char *query = digest_query(DIGEST_SHA256, "whole");
    struct first first;

    fixture->world.make_way = end_first;
    begin_upload(fixture, "");
    (void)ask_upload(fixture, "PATCH", "", NULL, "whole");
    open_first(&first, fixture, true);
    first.content = "whole";
    assert_int_equal(ask_upload(fixture, "PUT", query, NULL, "")->status, 201);
    assert_true(fixture->reply.has_queued);
    begin_upload(fixture, "");
    open_first(&first, fixture, true);
    first.gives_up = true;
    assert_int_equal(ask_upload(fixture, "DELETE", "", NULL, NULL)->status, 204);
    assert_true(fixture->reply.has_queued);
}

/* Then the second does it, unless its bytes were let pass. */
static void the_second_end_goes_on_where_the_first_failed(void **state)
{
    struct upload_world *fixture = *state;
    const char *query = digest_query(DIGEST_SHA256, "whole");
    struct first first;

    fixture->world.make_way = end_first;
    begin_upload(fixture, "");
    (void)ask_upload(fixture, "PATCH", "", NULL, "who");
    open_first(&first, fixture, true);
    assert_true(
        reply_is_error(ask_upload(fixture, "PUT", query, NULL, "le"), 409, "BLOB_UPLOAD_INVALID"));
    assert_true(fixture->reply.has_queued);
    (void)ask_upload(fixture, "PATCH", "", NULL, "le");
    open_first(&first, fixture, true);
    assert_int_equal(ask_upload(fixture, "PUT", query, NULL, "")->status, 201);
    assert_true(fixture->reply.has_queued);
}

static void wait_too_long(void *context)
{
    struct first *first = context;

    fake_clock_advance(&first->fixture->world.clock, (int64_t)2 * 60 * 1000);
}

static void waiting_for_the_first_end_has_its_end(void **state)
{
    struct upload_world *fixture = *state;
    const char *query = digest_query(DIGEST_SHA256, "whole");
    struct first first;

    fixture->world.make_way = wait_too_long;
    begin_upload(fixture, "");
    (void)ask_upload(fixture, "PATCH", "", NULL, "whole");
    open_first(&first, fixture, true);
    assert_true(
        reply_is_error(ask_upload(fixture, "PUT", query, NULL, ""), 409, "BLOB_UPLOAD_INVALID"));
    assert_true(fixture->reply.has_queued);
    upload_close(first.upload);
    /* Who writes to it is not waited for. */
    begin_upload(fixture, "");
    open_first(&first, fixture, false);
    assert_true(
        reply_is_error(ask_upload(fixture, "PUT", query, NULL, ""), 409, "BLOB_UPLOAD_INVALID"));
    assert_false(fixture->reply.has_queued);
    upload_close(first.upload);
}

static void let_go(void *context)
{
    struct first *first = context;

    upload_close(first->upload);
}

/* Of an algorithm that was not announced: the whole has to be hashed again. */
static void upload_queues_to_be_hashed_again(void **state)
{
    struct upload_world *fixture = *state;
    const struct digest digest = hasher_digest_of(DIGEST_SHA512, str_from("whole"));
    struct first first;

    fixture->world.make_way = let_go;
    begin_upload(fixture, "");
    open_first(&first, fixture, false);
    assert_true(upload_may_commit(first.upload, &digest));
    begin_upload(fixture, "");
    assert_int_equal(
        ask_upload(fixture, "PUT", digest_query(DIGEST_SHA512, "whole"), NULL, "whole")->status,
        201);
    assert_true(fixture->reply.has_queued);
    begin_upload(fixture, "");
    open_first(&first, fixture, false);
    assert_true(upload_may_commit(first.upload, &digest));
    begin_upload(fixture, "");
    assert_true(
        reply_is_error(ask_upload(fixture, "PUT", digest_query(DIGEST_SHA512, "other"), NULL, "x"),
                       400, "DIGEST_INVALID"));
    assert_true(fixture->reply.has_queued);
    assert_true(
        reply_is_error(ask_upload(fixture, "GET", "", NULL, NULL), 404, "BLOB_UPLOAD_UNKNOWN"));
    begin_upload(fixture, "?digest-algorithm=sha512");
    assert_true(
        reply_is_error(ask_upload(fixture, "PUT", digest_query(DIGEST_SHA512, "other"), NULL, "x"),
                       400, "DIGEST_INVALID"));
    assert_int_equal(ask_upload(fixture, "GET", "", NULL, NULL)->status, 204);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, upload_world_set_up, upload_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(blob_that_was_pushed_is_pushed_again),
        TEST(upload_that_was_given_up_is_given_up_again),
        TEST(blob_whose_end_nobody_recorded_is_pushed_again),
        TEST(the_second_end_of_an_upload_waits_for_the_first),
        TEST(the_second_end_goes_on_where_the_first_failed),
        TEST(waiting_for_the_first_end_has_its_end),
        TEST(upload_queues_to_be_hashed_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
