#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/contract/blob_store_fixture.h"
#include "tests/support/blob_helper.h"
#include "tests/support/faulty_store.h"

static void fresh_uploads_have_different_ids(void **state)
{
    struct blob_upload first;
    struct blob_upload second;

    (void)state;
    blob_upload_init(&first, DIGEST_SHA256);
    blob_upload_init(&second, DIGEST_SHA256);
    assert_string_not_equal(first.id, second.id);
    assert_int_equal(first.offset_bytes, 0);
}

static void suspended_upload_goes_on_in_a_new_writer(void **state)
{
    struct blob_store *store = store_in(state);
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, hello);
    struct blob_upload upload;
    struct blob_writer *writer;

    must_suspend_new(store, str_slice(hello, 0, 5), &upload);
    assert_int_equal(upload.offset_bytes, 5);
    writer = must_open(store, &upload);
    assert_int_equal(blob_writer_offset(writer), 5);
    must_write(writer, str_from_index(hello, 5));
    must_commit(writer, &digest);
    blob_writer_free(writer);
    assert_true(test_blob_is(store, &digest, hello));
    blob_upload_release(&upload);
}

static void suspended_writer_may_go_on_itself(void **state)
{
    struct blob_store *store = store_in(state);
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, hello);
    struct blob_upload upload;
    struct blob_writer *writer;

    blob_upload_init(&upload, DIGEST_SHA256);
    writer = must_open(store, &upload);
    must_write(writer, str_slice(hello, 0, 7));
    assert_int_equal(blob_writer_suspend(writer, &upload, NULL), OK);
    must_write(writer, str_from_index(hello, 7));
    must_commit(writer, &digest);
    blob_writer_free(writer);
    assert_true(test_blob_is(store, &digest, hello));
    blob_upload_release(&upload);
}

static void empty_upload_can_rest(void **state)
{
    struct blob_store *store = store_in(state);
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, hello);
    const struct str nothing = STR_LITERAL("");
    struct blob_upload upload;
    struct blob_writer *writer;

    must_suspend_new(store, nothing, &upload);
    writer = must_open(store, &upload);
    must_write(writer, hello);
    must_commit(writer, &digest);
    blob_writer_free(writer);
    assert_true(test_blob_is(store, &digest, hello));
    blob_upload_release(&upload);
}

static void bytes_behind_the_offset_are_dropped(void **state)
{
    static const size_t offsets[] = {0, 1, 6, 14};
    struct blob_store *store = store_in(state);
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, hello);
    struct str lost = STR_LITERAL("written, but never acknowledged to anybody");

    for (size_t i = 0; i < ARRAY_LEN(offsets); i++) {
        struct blob_upload upload;
        struct blob_writer *writer;

        must_suspend_new(store, str_slice(hello, 0, offsets[i]), &upload);
        writer = must_open(store, &upload);
        must_write(writer, lost);
        blob_writer_free(writer);

        writer = must_open(store, &upload);
        must_write(writer, str_from_index(hello, offsets[i]));
        must_commit(writer, &digest);
        blob_writer_free(writer);
        assert_true(test_blob_is(store, &digest, hello));
        blob_upload_release(&upload);
    }
}

static void upload_whose_bytes_are_gone_is_not_found(void **state)
{
    struct blob_store *store = store_in(state);
    struct blob_upload upload;

    must_suspend_new(store, str_slice(hello, 0, 5), &upload);
    upload.offset_bytes = 6; /* more than there is */
    must_be_gone(store, &upload);
    blob_upload_release(&upload);
    blob_upload_init(&upload, DIGEST_SHA256);
    upload.offset_bytes = 5; /* nothing is there */
    must_be_gone(store, &upload);
}

static void wrong_digest_is_refused_and_the_upload_stays(void **state)
{
    static const enum digest_algorithm algorithms[] = {DIGEST_SHA256, DIGEST_SHA512};
    struct blob_store *store = store_in(state);
    const struct digest right = hasher_digest_of(DIGEST_SHA256, hello);

    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        const struct digest wrong = hasher_digest_of(algorithms[i], str_slice(hello, 0, 3));
        struct blob_upload upload;
        struct blob_writer *writer;
        struct error err = {0};

        must_suspend_new(store, hello, &upload);
        writer = must_open(store, &upload);
        assert_int_equal(blob_writer_commit(writer, &wrong, NULL, &err), ERROR_INVALID);
        assert_int_equal(err.topic, ABOUT_DIGEST);
        assert_true(test_blob_is_missing(store, &wrong));
        blob_writer_free(writer);

        writer = must_open(store, &upload);
        assert_int_equal(blob_writer_commit(writer, &wrong, NULL, &err), ERROR_INVALID);
        must_commit(writer, &right); /* the same writer may try again */
        blob_writer_free(writer);
        assert_true(test_blob_is(store, &right, hello));
        blob_upload_release(&upload);
    }
}

static void committed_upload_is_gone(void **state)
{
    struct blob_store *store = store_in(state);
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, hello);

    for (size_t i = 0; i < 2; i++) { /* also if the blob was there before */
        struct blob_upload upload;
        struct blob_writer *writer;

        must_suspend_new(store, hello, &upload);
        writer = must_open(store, &upload);
        must_commit(writer, &digest);
        blob_writer_free(writer);
        must_be_given_up(state, &upload);
        blob_upload_release(&upload);
    }
}

static void discarded_upload_is_gone(void **state)
{
    struct blob_store *store = store_in(state);
    struct blob_upload upload;

    must_suspend_new(store, hello, &upload);
    assert_int_equal(blob_store_discard(store, &upload, NULL), OK);
    must_be_given_up(state, &upload);
    assert_int_equal(blob_store_discard(store, &upload, NULL), OK);
    blob_upload_release(&upload);
    blob_upload_init(&upload, DIGEST_SHA256);
    assert_int_equal(blob_store_discard(store, &upload, NULL), OK);
}

static void uploads_do_not_disturb_each_other(void **state)
{
    struct blob_store *store = store_in(state);
    const struct str others[] = {STR_LITERAL("one"), STR_LITERAL("another")};
    struct blob_writer *writers[ARRAY_LEN(others)];
    struct blob_upload upload;

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        blob_upload_init(&upload, DIGEST_SHA256);
        writers[i] = must_open(store, &upload);
    }
    for (size_t at = 0; at < others[1].length; at++) {
        for (size_t i = 0; i < ARRAY_LEN(others); i++) {
            must_write(writers[i], str_slice(others[i], at, at + 1));
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        const struct digest digest = hasher_digest_of(DIGEST_SHA256, others[i]);

        must_commit(writers[i], &digest);
        blob_writer_free(writers[i]);
        assert_true(test_blob_is(store, &digest, others[i]));
    }
}

static void upload_goes_on_after_a_failed_write(void **state)
{
    struct blob_store *store = store_in(state);
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, hello);
    struct blob_store *faulty = faulty_store_new(store);
    struct blob_upload upload;
    struct blob_writer *writer;

    must_suspend_new(store, str_slice(hello, 0, 4), &upload);
    writer = must_open(faulty, &upload);
    faulty_store_fail_at(faulty, 1, ERROR_NO_SPACE);
    assert_int_equal(blob_writer_write(writer, str_from_index(hello, 4), NULL), ERROR_NO_SPACE);
    blob_writer_free(writer);

    writer = must_open(faulty, &upload);
    must_write(writer, str_from_index(hello, 4));
    must_commit(writer, &digest);
    blob_writer_free(writer);
    blob_store_free(faulty);
    assert_true(test_blob_is(store, &digest, hello));
    blob_upload_release(&upload);
}

int run_upload_tests(const struct blob_store_contract *contract)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(fresh_uploads_have_different_ids),
        cmocka_unit_test(suspended_upload_goes_on_in_a_new_writer),
        cmocka_unit_test(suspended_writer_may_go_on_itself),
        cmocka_unit_test(empty_upload_can_rest),
        cmocka_unit_test(bytes_behind_the_offset_are_dropped),
        cmocka_unit_test(upload_whose_bytes_are_gone_is_not_found),
        cmocka_unit_test(wrong_digest_is_refused_and_the_upload_stays),
        cmocka_unit_test(committed_upload_is_gone),
        cmocka_unit_test(discarded_upload_is_gone),
        cmocka_unit_test(uploads_do_not_disturb_each_other),
        cmocka_unit_test(upload_goes_on_after_a_failed_write),
    };

    return run_in_fresh_stores(contract, "uploads", tests, ARRAY_LEN(tests));
}
