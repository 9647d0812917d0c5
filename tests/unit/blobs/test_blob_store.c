#include "blobs/blob_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/blob_helper.h"
#include "tests/support/faulty_store.h"
#include "tests/support/memory_store.h"

static const struct str hello = STR_LITERAL("hello, registry");

/* A memory store behind a faulty one, which also counts the driver calls. */
struct fixture {
    struct blob_store *memory;
    struct blob_store *faulty;
    struct blob_upload upload;
    struct blob_writer *writer;
};

static struct fixture fixture;

static int set_up(void **state)
{
    fixture = (struct fixture){.memory = memory_store_new()};
    fixture.faulty = faulty_store_new(fixture.memory);
    blob_upload_init(&fixture.upload, DIGEST_SHA256);
    *state = &fixture;
    return blob_writer_open(fixture.faulty, &fixture.upload, &fixture.writer, NULL) ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    blob_writer_free(fixture.writer);
    blob_store_free(fixture.faulty);
    blob_store_free(fixture.memory);
    return 0;
}

static void id_of_another_form_is_not_found_and_reaches_no_driver(void **state)
{
    static const char *const ids[] = {
        "",
        ".",
        "..",
        "../sha256/ab/0123456789abcdef012",
        "0123456789abcdef0123456789abcde",
        "0123456789ABCDEF0123456789ABCDEF",
        "0123456789abcdef0123456789abcdeg",
        "0123456789abcdef/123456789abcdef",
        "0123456789abcdef 123456789abcdef",
    };

    (void)state;
    faulty_store_fail_at(fixture.faulty, 0, OK);
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        struct blob_writer *writer = NULL;
        struct blob_upload upload;
        struct error err = {0};

        blob_upload_init(&upload, DIGEST_SHA256);
        memcpy(upload.id, ids[i], strlen(ids[i]) + 1);
        assert_int_equal(blob_writer_open(fixture.faulty, &upload, &writer, &err), ERROR_NOT_FOUND);
        assert_int_equal(err.topic, ABOUT_UPLOAD);
        assert_null(writer);
        assert_int_equal(blob_store_discard(fixture.faulty, &upload, NULL), OK);
    }
    assert_int_equal(faulty_store_calls(fixture.faulty), 0);
}

static void id_without_an_end_is_not_found(void **state)
{
    struct blob_writer *writer = NULL;
    struct blob_upload upload;

    (void)state;
    blob_upload_init(&upload, DIGEST_SHA256);
    upload.id[sizeof(upload.id) - 1] = 'a';
    assert_int_equal(blob_writer_open(fixture.memory, &upload, &writer, NULL), ERROR_NOT_FOUND);
}

static void writing_nothing_reaches_no_driver(void **state)
{
    (void)state;
    faulty_store_fail_at(fixture.faulty, 1, ERROR_INTERNAL);
    assert_int_equal(blob_writer_write(fixture.writer, (struct str){NULL, 0}, NULL), OK);
    assert_int_equal(faulty_store_calls(fixture.faulty), 0);
}

static void failed_write_does_not_count(void **state)
{
    struct error err = {0};

    (void)state;
    assert_int_equal(blob_writer_write(fixture.writer, hello, NULL), OK);
    faulty_store_fail_at(fixture.faulty, 1, ERROR_NO_SPACE);
    assert_int_equal(blob_writer_write(fixture.writer, hello, &err), ERROR_NO_SPACE);
    assert_string_equal(err.message, "the store was told to fail at call 1, write");
    assert_int_equal(blob_writer_offset(fixture.writer), hello.length);
}

static void blob_that_grows_too_large_is_refused(void **state)
{
    struct error err = {0};

    (void)state;
    faulty_store_limit_blobs(fixture.faulty, 2 * hello.length - 1);
    assert_int_equal(blob_writer_write(fixture.writer, hello, NULL), OK);
    faulty_store_fail_at(fixture.faulty, 0, OK);
    assert_int_equal(blob_writer_write(fixture.writer, hello, &err), ERROR_TOO_LARGE);
    assert_int_equal(err.topic, ABOUT_SIZE);
    assert_non_null(strstr(err.message, "a blob has at most 29 bytes here"));
    assert_int_equal(faulty_store_calls(fixture.faulty), 0);
}

static void failed_open_gives_no_writer(void **state)
{
    struct blob_writer *writer = NULL;

    (void)state;
    faulty_store_fail_at(fixture.faulty, 1, ERROR_UNAVAILABLE);
    assert_int_equal(blob_writer_open(fixture.faulty, &fixture.upload, &writer, NULL),
                     ERROR_UNAVAILABLE);
    assert_null(writer);
}

static void failed_suspend_leaves_the_upload_as_it_was(void **state)
{
    struct blob_upload upload = fixture.upload;

    (void)state;
    assert_int_equal(blob_writer_write(fixture.writer, hello, NULL), OK);
    faulty_store_fail_at(fixture.faulty, 1, ERROR_UNAVAILABLE);
    assert_int_equal(blob_writer_suspend(fixture.writer, &upload, NULL), ERROR_UNAVAILABLE);
    assert_int_equal(upload.offset_bytes, 0);
}

static void suspended_upload_has_offset_and_hash_of_what_was_written(void **state)
{
    const struct digest expected = hasher_digest_of(DIGEST_SHA256, hello);
    struct blob_upload upload;
    struct digest digest;

    (void)state;
    assert_int_equal(blob_writer_write(fixture.writer, hello, NULL), OK);
    assert_int_equal(blob_writer_suspend(fixture.writer, &upload, NULL), OK);
    assert_int_equal(upload.offset_bytes, hello.length);
    assert_string_equal(upload.id, fixture.upload.id);
    digest = hasher_digest(&upload.hasher);
    assert_true(digest_equal(&digest, &expected));
}

static void refusal_of_a_wrong_digest_names_both(void **state)
{
    const struct digest wrong = hasher_digest_of(DIGEST_SHA256, str_slice(hello, 0, 5));
    const struct digest right = hasher_digest_of(DIGEST_SHA256, hello);
    char text[DIGEST_TEXT_BYTES];
    struct error err = {0};

    (void)state;
    assert_int_equal(blob_writer_write(fixture.writer, hello, NULL), OK);
    faulty_store_fail_at(fixture.faulty, 1, ERROR_INTERNAL);
    assert_int_equal(blob_writer_commit(fixture.writer, &wrong, NULL, &err), ERROR_INVALID);
    assert_int_equal(err.topic, ABOUT_DIGEST);
    digest_format(&wrong, text);
    assert_non_null(strstr(err.message, text));
    digest_format(&right, text);
    assert_non_null(strstr(err.message, text));
    assert_int_equal(faulty_store_calls(fixture.faulty), 0);
}

static void bytes_are_read_again_only_for_another_algorithm(void **state)
{
    static const struct {
        enum digest_algorithm algorithm;
        unsigned calls;
    } cases[] = {
        {DIGEST_SHA256, 1}, /* publish */
        {DIGEST_SHA512, 2}, /* rehash, publish */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct digest digest = hasher_digest_of(cases[i].algorithm, hello);
        struct blob_writer *writer = NULL;
        struct blob_upload upload;

        blob_upload_init(&upload, DIGEST_SHA256);
        assert_int_equal(blob_writer_open(fixture.faulty, &upload, &writer, NULL), OK);
        assert_int_equal(blob_writer_write(writer, hello, NULL), OK);
        faulty_store_fail_at(fixture.faulty, 0, OK);
        assert_int_equal(blob_writer_commit(writer, &digest, NULL, NULL), OK);
        assert_int_equal(faulty_store_calls(fixture.faulty), cases[i].calls);
        blob_writer_free(writer);
    }
}

static void failure_to_read_again_or_to_publish_fails_the_commit(void **state)
{
    const struct digest digest = hasher_digest_of(DIGEST_SHA512, hello);

    (void)state;
    for (unsigned call = 1; call <= 2; call++) {
        struct blob_writer *writer = NULL;
        struct blob_upload upload;

        blob_upload_init(&upload, DIGEST_SHA256);
        assert_int_equal(blob_writer_open(fixture.faulty, &upload, &writer, NULL), OK);
        assert_int_equal(blob_writer_write(writer, hello, NULL), OK);
        faulty_store_fail_at(fixture.faulty, call, ERROR_INTERNAL);
        assert_int_equal(blob_writer_commit(writer, &digest, NULL, NULL), ERROR_INTERNAL);
        blob_writer_free(writer);
        assert_true(test_blob_is_missing(fixture.faulty, &digest));
    }
}

static void failed_read_and_discard_are_passed_on(void **state)
{
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, hello);
    struct blob_content content;

    (void)state;
    faulty_store_fail_at(fixture.faulty, 1, ERROR_UNAVAILABLE);
    assert_int_equal(blob_store_read(fixture.faulty, &digest, NULL, &content, NULL),
                     ERROR_UNAVAILABLE);
    faulty_store_fail_at(fixture.faulty, 1, ERROR_UNAVAILABLE);
    assert_int_equal(blob_store_discard(fixture.faulty, &fixture.upload, NULL), ERROR_UNAVAILABLE);
}

static void nothing_may_be_freed(void **state)
{
    struct blob_content content = {.kind = BLOB_IN_FILE, .fd = -1};

    (void)state;
    blob_store_free(NULL);
    blob_writer_free(NULL);
    blob_content_release(&content);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(id_of_another_form_is_not_found_and_reaches_no_driver,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(id_without_an_end_is_not_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(writing_nothing_reaches_no_driver, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failed_write_does_not_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(blob_that_grows_too_large_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failed_open_gives_no_writer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failed_suspend_leaves_the_upload_as_it_was, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(suspended_upload_has_offset_and_hash_of_what_was_written,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(refusal_of_a_wrong_digest_names_both, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_are_read_again_only_for_another_algorithm, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(failure_to_read_again_or_to_publish_fails_the_commit,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(failed_read_and_discard_are_passed_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_may_be_freed, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
