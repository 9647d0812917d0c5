/* Also covers s3_writer.c, s3_writer_parts.c and s3_objects.c: what goes over the wire, and what
 * comes of its failures. That it works on a real S3 is the contract suite's affair. */
#include "blobs/s3_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "tests/support/blob_helper.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/blobs/s3_world.h"

#define REFUSED(status, code)                                                                      \
    S3_HEAD(status, "Content-Type: application/xml\r\n") "<Error><Code>" code "</Code></Error>"
#define S3_DELETED S3_HEAD("204 No Content", "")
#define LARGE_FOUND S3_HEAD("200 OK", "Content-Length: 5242885\r\n")

enum { PART_BYTES = 5 << 20, LARGE_BYTES = PART_BYTES + 5 };

static const struct s3_style plain_style = {0};

static void open_world(struct s3_world *world, const char *const *answers)
{
    s3_world_init(world, answers);
    s3_world_open_store(world, &plain_style);
}

/* How often a text is in the heads of all requests. */
static int count_of(const struct s3_world *world, const char *text)
{
    const char *found = stub_server_heads(world->server);
    int count = 0;

    while ((found = strstr(found, text)) != NULL) {
        count++;
        found++;
    }
    return count;
}

static enum error_code push(struct s3_world *world, size_t length, struct error *err)
{
    char *bytes = test_bytes_new(length, 7);
    const enum error_code code = test_blob_push(world->store, (struct str){bytes, length}, err);

    free(bytes);
    return code;
}

static void small_blob_is_one_conditional_put(void **state)
{
    static const char *const answers[] = {S3_DONE, NULL};
    struct s3_world world;

    (void)state;
    open_world(&world, answers);
    assert_int_equal(test_blob_push(world.store, str_from("abc"), NULL), OK);
    assert_int_equal(stub_server_count(world.server), 1);
    assert_int_equal(count_of(&world, "PUT /layers/pre/uploads/"), 1);
    assert_int_equal(count_of(&world, "x-amz-content-sha256: ba7816bf8f01cfea414140de5dae2223"
                                      "b00361a396177a9cb410ff61f20015ad\r\n"),
                     1);
    assert_int_equal(count_of(&world, "if-none-match: *\r\n"), 1);
    assert_int_equal(count_of(&world, "Content-Length: 3\r\n"), 1);
    s3_world_release(&world);
}

static void what_is_there_is_not_sent_again(void **state)
{
    static const char *const answers[] = {S3_DONE, NULL};
    struct s3_world world;

    (void)state;
    open_world(&world, answers);
    assert_int_equal(test_blob_push(world.store, str_from("abc"), NULL), OK);
    assert_int_equal(test_blob_push(world.store, str_from("abc"), NULL), OK);
    assert_int_equal(stub_server_count(world.server), 1);
    s3_world_release(&world);
}

static void large_blob_is_its_parts_and_two_requests_more(void **state)
{
    static const char *const answers[] = {S3_BEGUN, S3_DONE, S3_DONE, S3_DONE, NULL};
    struct s3_world world;

    (void)state;
    open_world(&world, answers);
    assert_int_equal(push(&world, LARGE_BYTES, NULL), OK);
    assert_int_equal(stub_server_count(world.server), 4);
    assert_int_equal(count_of(&world, "?uploads= "), 1);
    assert_int_equal(count_of(&world, "?partNumber=1&uploadId=2~x "), 1);
    assert_int_equal(count_of(&world, "?partNumber=2&uploadId=2~x "), 1);
    assert_int_equal(count_of(&world, "Content-Length: 5\r\n"), 1);
    assert_non_null(strstr(stub_server_request(world.server),
                           "<Part><PartNumber>1</PartNumber><ETag>&quot;0123&quot;</ETag></Part>"
                           "<Part><PartNumber>2</PartNumber>"));
    s3_world_release(&world);
}

/* As docker does it: all in one PATCH, then a PUT without a body. */
static void blob_that_rests_before_its_end_costs_nothing_more(void **state)
{
    static const struct {
        size_t length;
        int requests;
        const char *answers[5];
    } rows[] = {
        {1000, 1, {S3_DONE, NULL}},
        {LARGE_BYTES, 4, {S3_BEGUN, S3_DONE, S3_DONE, S3_DONE, NULL}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *bytes = test_bytes_new(rows[i].length, 7);
        const struct str all = {bytes, rows[i].length};
        const struct digest digest = hasher_digest_of(DIGEST_SHA256, all);
        struct blob_content content;
        struct blob_upload fresh;
        struct blob_upload rested;
        struct blob_writer *writer = NULL;
        struct s3_world world;

        open_world(&world, rows[i].answers);
        blob_upload_init(&fresh, DIGEST_SHA256);
        assert_int_equal(blob_writer_open(world.store, &fresh, &writer, NULL), OK);
        assert_int_equal(blob_writer_write(writer, all, NULL), OK);
        assert_int_equal(blob_writer_suspend(writer, &rested, NULL), OK);
        blob_writer_free(writer);
        assert_int_equal(blob_writer_open(world.store, &rested, &writer, NULL), OK);
        assert_int_equal(blob_writer_commit(writer, &digest, NULL, NULL), OK);
        blob_writer_free(writer);
        assert_int_equal(stub_server_count(world.server), rows[i].requests);
        assert_int_equal(blob_store_read(world.store, &digest, NULL, &content, NULL), OK);
        assert_int_equal(content.size_bytes, rows[i].length);
        assert_non_null(strstr(content.key, fresh.id)); /* where it landed */
        blob_upload_release(&rested);
        s3_world_release(&world);
        free(bytes);
    }
}

/* Settings may have been others when it came to rest; parts may be large. */
static void a_tail_that_does_not_fit_into_memory_is_gone(void **state)
{
    static const struct {
        uint64_t tail_length;
        enum error_code code;
    } rows[] = {{10 << 20, OK}, {(10 << 20) + 1, ERROR_NOT_FOUND}};
    static const char *const answers[] = {NULL};
    struct s3_world world;

    (void)state;
    open_world(&world, answers);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct blob_upload upload;
        struct strbuf notes;
        struct blob_writer *writer = NULL;
        struct error err = {0};

        blob_upload_init(&upload, DIGEST_SHA256);
        upload.offset_bytes = rows[i].tail_length;
        strbuf_init(&notes, 1000);
        strbuf_append_format(&notes, "s3 1\noffset %llu\nobject k\ntail %llu\n",
                             (unsigned long long)rows[i].tail_length,
                             (unsigned long long)rows[i].tail_length);
        upload.notes_length = notes.length;
        upload.notes = strbuf_take(&notes);
        assert_int_equal(blob_writer_open(world.store, &upload, &writer, &err), rows[i].code);
        assert_true(!rows[i].code || strstr(err.message, "begin again"));
        blob_writer_free(writer);
        blob_upload_release(&upload);
    }
    s3_world_release(&world);
}

static void failures_that_pass_are_not_seen(void **state)
{
    static const struct {
        size_t length;
        const char *answers[8];
    } rows[] = {
        {3, {S3_SLOW_DOWN, "", S3_DONE}},
        {3, {S3_HEAD("412 Precondition Failed", "")}}, /* an attempt before was done */
        {LARGE_BYTES, {S3_SLOW_DOWN, S3_BEGUN, S3_DONE, S3_DONE, S3_DONE}},
        {LARGE_BYTES, {S3_BEGUN, "", S3_SLOW_DOWN, S3_DONE, S3_DONE, S3_DONE}},
        {LARGE_BYTES,
         {S3_BEGUN, S3_DONE, S3_DONE,
          S3_HEAD("200 OK", "") "<Error><Code>InternalError</Code></Error>", S3_DONE}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s3_world world;
        struct error err = {0};

        open_world(&world, rows[i].answers);
        if (push(&world, rows[i].length, &err)) {
            fail_msg("row %zu: %s", i, err.message);
        }
        s3_world_release(&world);
    }
}

/* A part and five bytes, the last of which may differ; as text, so that a stub can answer it. */
static char *new_large_text(char last)
{
    char *text = memory_new(1, LARGE_BYTES + 1);

    memset(text, 'x', LARGE_BYTES);
    text[LARGE_BYTES - 1] = last;
    return text;
}

/* Completed, but the answer is lost: perhaps not by us, and then not with our bytes. */
static void upload_that_was_completed_before_is_taken_by_its_bytes(void **state)
{
    static const struct {
        const char *refusal;
        char last;
        enum error_code code;
    } rows[] = {
        {REFUSED("404 x", "NoSuchUpload"), 'x', OK},
        {S3_HEAD("412 Precondition Failed", ""), 'x', OK},
        {REFUSED("404 x", "NoSuchUpload"), 'y', ERROR_NOT_FOUND},
        {S3_HEAD("412 Precondition Failed", ""), 'y', ERROR_NOT_FOUND},
    };
    static const char head[] = S3_HEAD("206 Partial Content", "Content-Length: 5242885\r\n");

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *pushed = new_large_text('x');
        char *found = new_large_text(rows[i].last);
        char *answer = memory_new(1, sizeof(head) + LARGE_BYTES);
        const char *const answers[] = {S3_BEGUN,        S3_DONE,     S3_DONE, "",
                                       rows[i].refusal, LARGE_FOUND, answer,  NULL};
        const struct digest digest =
            hasher_digest_of(DIGEST_SHA256, (struct str){pushed, LARGE_BYTES});
        struct s3_world world;

        memcpy(answer, head, sizeof(head) - 1);
        memcpy(answer + sizeof(head) - 1, found, LARGE_BYTES);
        open_world(&world, answers);
        assert_int_equal(test_blob_push(world.store, (struct str){pushed, LARGE_BYTES}, NULL),
                         rows[i].code);
        assert_int_equal(test_blob_is_missing(world.store, &digest), rows[i].code != OK);
        s3_world_release(&world);
        free(answer);
        free(found);
        free(pushed);
    }
}

static void failures_that_stay_leave_no_blob(void **state)
{
    static const struct {
        size_t length;
        enum error_code code;
        const char *answers[8];
    } rows[] = {
        {3, ERROR_UNAVAILABLE, {S3_SLOW_DOWN}},
        {3, ERROR_UNAVAILABLE, {REFUSED("403 x", "AccessDenied")}},
        {3, ERROR_NO_SPACE, {REFUSED("403 x", "QuotaExceeded")}},
        {LARGE_BYTES, ERROR_UNAVAILABLE, {REFUSED("403 x", "AccessDenied")}},
        {LARGE_BYTES, ERROR_UNAVAILABLE, {S3_HEAD("200 OK", ""), S3_DELETED}}, /* no UploadId */
        {LARGE_BYTES, ERROR_UNAVAILABLE, {S3_BEGUN, REFUSED("403 x", "AccessDenied")}},
        {LARGE_BYTES, ERROR_UNAVAILABLE, {S3_BEGUN, S3_HEAD("200 OK", "")}}, /* no ETag */
        {LARGE_BYTES, ERROR_UNAVAILABLE, {S3_BEGUN, S3_DONE, S3_SLOW_DOWN}},
        {LARGE_BYTES,
         ERROR_UNAVAILABLE,
         {S3_BEGUN, S3_DONE, S3_DONE, REFUSED("403 x", "AccessDenied"), S3_DELETED}},
        {LARGE_BYTES,
         ERROR_NOT_FOUND,
         {S3_BEGUN, S3_DONE, S3_DONE, REFUSED("404 x", "NoSuchUpload"), S3_HEAD("404 x", "")}},
        {LARGE_BYTES, /* somebody else's bytes under that key: never */
         ERROR_NOT_FOUND,
         {S3_BEGUN, S3_DONE, S3_DONE, REFUSED("404 x", "NoSuchUpload"),
          S3_HEAD("200 OK", "Content-Length: 7\r\n")}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *bytes = test_bytes_new(rows[i].length, 7);
        const struct digest digest =
            hasher_digest_of(DIGEST_SHA256, (struct str){bytes, rows[i].length});
        struct s3_world world;
        struct error err = {0};

        s3_world_init(&world, rows[i].answers);
        world.client_config.retry_ms = 1;
        s3_world_open_store(&world, &plain_style);
        assert_int_equal(push(&world, rows[i].length, &err), rows[i].code);
        assert_true(err.message[0] != '\0');
        assert_null(strstr(err.message, "sesame"));
        assert_true(test_blob_is_missing(world.store, &digest));
        s3_world_release(&world);
        free(bytes);
    }
}

static void upload_that_is_given_up_is_aborted(void **state)
{
    static const char *const answers[] = {S3_BEGUN, S3_DONE, S3_DELETED, NULL};
    char *bytes = test_bytes_new(LARGE_BYTES, 7);
    struct blob_upload upload;
    struct blob_writer *writer = NULL;
    struct s3_world world;

    (void)state;
    open_world(&world, answers);
    blob_upload_init(&upload, DIGEST_SHA256);
    assert_int_equal(blob_writer_open(world.store, &upload, &writer, NULL), OK);
    assert_int_equal(blob_writer_write(writer, (struct str){bytes, LARGE_BYTES}, NULL), OK);
    blob_writer_free(writer);
    assert_int_equal(count_of(&world, "DELETE /layers/pre/uploads/"), 1);
    s3_world_release(&world);
    free(bytes);
}

static void upload_that_rests_is_aborted_when_it_is_discarded(void **state)
{
    static const char *const answers[] = {
        S3_BEGUN, S3_DONE, S3_SLOW_DOWN, S3_DELETED, REFUSED("404 x", "NoSuchUpload"), NULL};
    char *bytes = test_bytes_new(LARGE_BYTES, 7);
    struct blob_upload upload;
    struct blob_upload rested;
    struct blob_writer *writer = NULL;
    struct s3_world world;

    (void)state;
    open_world(&world, answers);
    blob_upload_init(&upload, DIGEST_SHA256);
    assert_int_equal(blob_writer_open(world.store, &upload, &writer, NULL), OK);
    assert_int_equal(blob_writer_write(writer, (struct str){bytes, LARGE_BYTES}, NULL), OK);
    assert_int_equal(blob_writer_suspend(writer, &rested, NULL), OK);
    blob_writer_free(writer);
    assert_int_equal(stub_server_count(world.server), 2); /* it is kept */
    /* Not repeated: the housekeeper, who does this, comes again. */
    assert_int_equal(blob_store_discard(world.store, &rested, NULL), ERROR_UNAVAILABLE);
    assert_int_equal(blob_store_discard(world.store, &rested, NULL), OK);
    assert_int_equal(blob_store_discard(world.store, &rested, NULL), OK);
    assert_int_equal(count_of(&world, "DELETE /layers/pre/uploads/"), 3);
    blob_upload_release(&rested);
    s3_world_release(&world);
    free(bytes);
}

static void uploads_wait_for_memory_and_then_are_told_to_come_back(void **state)
{
    static const char *const answers[] = {S3_DONE, NULL};
    struct blob_writer *writers[3] = {NULL};
    struct s3_world world;
    struct error err = {0};

    (void)state;
    open_world(&world, answers);
    for (size_t i = 0; i < 3; i++) {
        struct blob_upload upload;

        blob_upload_init(&upload, DIGEST_SHA256);
        assert_int_equal(blob_writer_open(world.store, &upload, &writers[i], NULL), OK);
        /* There is memory for two parts. */
        assert_int_equal(blob_writer_write(writers[i], str_from("a"), &err),
                         i < 2 ? OK : ERROR_UNAVAILABLE);
    }
    assert_non_null(strstr(err.message, "storage.s3.upload_memory"));
    assert_true(err.retry_after_s > 0);
    blob_writer_free(writers[0]);
    blob_writer_free(writers[2]);
    assert_int_equal(test_blob_push(world.store, str_from("abc"), NULL), OK);
    blob_writer_free(writers[1]);
    s3_world_release(&world);
}

static void room_is_what_needs_no_waiting(void **state)
{
    static const char *const answers[] = {S3_BEGUN, S3_DONE, S3_DELETED, NULL};
    char *bytes = test_bytes_new(PART_BYTES, 7);
    struct blob_writer *writers[3] = {NULL};
    struct fake_clock clock;
    struct s3_world world;

    (void)state;
    fake_clock_init(&clock);
    s3_world_init(&world, answers);
    world.clock = &clock.clock;
    world.memory_wait_ms = 300;
    s3_world_open_store(&world, &plain_style);
    for (size_t i = 0; i < 3; i++) {
        struct blob_upload upload;

        blob_upload_init(&upload, DIGEST_SHA256);
        assert_int_equal(blob_writer_open(world.store, &upload, &writers[i], NULL), OK);
    }
    assert_int_equal(blob_writer_room(writers[0]), PART_BYTES);
    assert_int_equal(blob_writer_write(writers[0], (struct str){bytes, PART_BYTES - 1}, NULL), OK);
    assert_int_equal(blob_writer_room(writers[0]), 1);
    assert_int_equal(blob_writer_room(writers[1]), PART_BYTES);
    assert_int_equal(blob_writer_room(writers[2]), 0);
    /* A full part is sent when there is no memory for the next; then there is. */
    assert_int_equal(blob_writer_write(writers[0], str_from("x"), NULL), OK);
    assert_int_equal(stub_server_count(world.server), 0);
    while (blob_writer_room(writers[0]) == 0) {
    }
    assert_int_equal(blob_writer_room(writers[0]), PART_BYTES);
    assert_int_equal(stub_server_count(world.server), 2);
    /* Who has waited for long is told by writing. */
    assert_int_equal(blob_writer_room(writers[2]), 0);
    fake_clock_advance(&clock, 300);
    assert_int_equal(blob_writer_room(writers[2]), SIZE_MAX);
    assert_int_equal(blob_writer_write(writers[2], str_from("x"), NULL), ERROR_UNAVAILABLE);
    for (size_t i = 0; i < 3; i++) {
        blob_writer_free(writers[i]);
    }
    s3_world_release(&world); /* asserts that all memory came back */
    free(bytes);
}

static void blob_beyond_the_largest_is_refused(void **state)
{
    static const char *const answers[] = {S3_DONE, NULL};
    struct blob_upload upload;
    struct blob_writer *writer = NULL;
    struct s3_world world;
    struct error err = {0};

    (void)state;
    open_world(&world, answers);
    blob_upload_init(&upload, DIGEST_SHA256);
    assert_int_equal(blob_writer_open(world.store, &upload, &writer, NULL), OK);
    /* Nothing is read of it, so that there need not be so much. */
    assert_int_equal(blob_writer_write(writer, (struct str){"", (size_t)(1 << 30) + 1}, &err),
                     ERROR_TOO_LARGE);
    assert_int_equal(err.topic, ABOUT_SIZE);
    assert_non_null(strstr(err.message, "storage.s3.largest_blob"));
    blob_writer_free(writer);
    s3_world_release(&world);
}

static void objects_are_styled_as_they_are_to_be(void **state)
{
    static const char *const answers[] = {S3_BEGUN, S3_DONE, S3_DONE, S3_DONE, S3_DONE, NULL};
    const struct s3_style style = {.encryption = "aws:kms",
                                   .kms_key = "arn:key",
                                   .storage_class = "STANDARD_IA",
                                   .lock_mode = S3_LOCK_COMPLIANCE,
                                   .lock_days = 3};
    struct s3_world world;

    (void)state;
    s3_world_init(&world, answers);
    s3_world_open_store(&world, &style);
    assert_int_equal(push(&world, LARGE_BYTES, NULL), OK);
    assert_int_equal(test_blob_push(world.store, str_from("abc"), NULL), OK);
    /* The upload's beginning and the small blob; parts need the checksum too. */
    assert_int_equal(count_of(&world, "x-amz-server-side-encryption: aws:kms\r\n"), 2);
    assert_int_equal(count_of(&world, "x-amz-server-side-encryption-aws-kms-key-id: arn:key\r\n"),
                     2);
    assert_int_equal(count_of(&world, "x-amz-storage-class: STANDARD_IA\r\n"), 2);
    assert_int_equal(count_of(&world, "x-amz-object-lock-mode: COMPLIANCE\r\n"), 2);
    assert_int_equal(count_of(&world, "x-amz-object-lock-retain-until-date: "), 2);
    assert_int_equal(count_of(&world, "content-md5: "), 3);
    assert_int_equal(count_of(&world, "content-md5: kAFQmDzST7DWlj99KOF/cg==\r\n"), 1);
    s3_world_release(&world);
}

static void reading_is_a_range_or_a_link(void **state)
{
    static const char *const answers[] = {
        S3_DONE,
        S3_HEAD("206 Partial Content", "Content-Length: 2\r\n") "bc",
        S3_HEAD("206 Partial Content", "Content-Length: 1\r\n") "b",
        S3_HEAD("206 Partial Content", "Content-Length: 2\r\n") "bc",
        REFUSED("404 x", "NoSuchKey"),
        NULL};
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, str_from("abc"));
    const struct blob_part part = {1, 2};
    struct blob_content content;
    struct strbuf text;
    struct s3_world world;
    struct error err = {0};

    (void)state;
    open_world(&world, answers);
    strbuf_init(&text, 4096);
    assert_int_equal(test_blob_push(world.store, str_from("abc"), NULL), OK);
    assert_int_equal(blob_store_read(world.store, &digest, NULL, &content, NULL), OK);
    assert_int_equal(content.kind, BLOB_REMOTE);
    assert_true(content.is_linked);
    assert_int_equal(content.size_bytes, 3);
    assert_int_equal(stub_server_count(world.server), 1); /* the index knows all that */
    assert_int_equal(blob_store_read_part(world.store, &content, &part, &text, NULL), OK);
    assert_string_equal(text.text, "bc");
    assert_int_equal(count_of(&world, "range: bytes=1-2\r\n"), 1);
    strbuf_clear(&text);
    /* Less than it has, which passes; or nothing at all. */
    assert_int_equal(blob_store_read_part(world.store, &content, &part, &text, NULL), OK);
    assert_string_equal(text.text, "bc");
    assert_int_equal(stub_server_count(world.server), 4);
    strbuf_clear(&text);
    assert_int_equal(blob_store_read_part(world.store, &content, &part, &text, &err),
                     ERROR_INTERNAL);
    assert_non_null(strstr(err.message, "who deleted it?"));
    assert_int_equal(text.length, 0);
    assert_int_equal(blob_store_link(world.store, &content, &text, NULL), OK);
    assert_true(str_starts_with(strbuf_str(&text), stub_server_url(world.server)));
    assert_non_null(strstr(text.text, content.key));
    strbuf_release(&text);
    s3_world_release(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_blob_is_one_conditional_put),
        cmocka_unit_test(what_is_there_is_not_sent_again),
        cmocka_unit_test(large_blob_is_its_parts_and_two_requests_more),
        cmocka_unit_test(blob_that_rests_before_its_end_costs_nothing_more),
        cmocka_unit_test(a_tail_that_does_not_fit_into_memory_is_gone),
        cmocka_unit_test(failures_that_pass_are_not_seen),
        cmocka_unit_test(upload_that_was_completed_before_is_taken_by_its_bytes),
        cmocka_unit_test(failures_that_stay_leave_no_blob),
        cmocka_unit_test(upload_that_is_given_up_is_aborted),
        cmocka_unit_test(upload_that_rests_is_aborted_when_it_is_discarded),
        cmocka_unit_test(uploads_wait_for_memory_and_then_are_told_to_come_back),
        cmocka_unit_test(room_is_what_needs_no_waiting),
        cmocka_unit_test(blob_beyond_the_largest_is_refused),
        cmocka_unit_test(objects_are_styled_as_they_are_to_be),
        cmocka_unit_test(reading_is_a_range_or_a_link),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
