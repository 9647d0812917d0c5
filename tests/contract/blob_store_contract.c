#include "tests/contract/blob_store_contract.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/contract/blob_store_fixture.h"
#include "tests/support/blob_helper.h"
#include "tests/support/faulty_store.h"

enum {
    LARGE_BYTES = 20 << 20, /* more than a driver holds back before it writes (16 MB, 5 MB parts) */
    PIECE_BYTES = 1 << 20,
    THREADS = 8,
    CONTENTS = 4,
    ROUNDS = 10,
    MAX_DRIVER_CALLS = 100,
};

static void blob_written_in_pieces_is_read_back(void **state)
{
    static const size_t pieces[] = {1, 2, 0, 4095, 4096, 4097, 65536, 1, 100000};
    struct blob_store *store = store_in(state);
    struct blob_upload upload;
    struct blob_writer *writer;
    struct digest digest;
    size_t length = 0;
    char *bytes;

    blob_upload_init(&upload, DIGEST_SHA256);
    bytes = test_bytes_new(1 << 20, 1);
    writer = must_open(store, &upload);
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        must_write(writer, (struct str){bytes + length, pieces[i]});
        length += pieces[i];
        assert_int_equal(blob_writer_offset(writer), length);
    }
    digest = hasher_digest_of(DIGEST_SHA256, (struct str){bytes, length});
    assert_true(test_blob_is_missing(store, &digest));
    must_commit(writer, &digest);
    blob_writer_free(writer);
    assert_true(test_blob_is(store, &digest, (struct str){bytes, length}));
    free(bytes);
}

static void large_blob_is_read_back(void **state)
{
    struct blob_store *store = store_in(state);
    char *bytes = test_bytes_new(LARGE_BYTES, 2);
    const struct str all = {bytes, LARGE_BYTES};
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, all);
    struct blob_upload upload;
    struct blob_writer *writer;

    blob_upload_init(&upload, DIGEST_SHA256);
    writer = must_open(store, &upload);
    for (size_t i = 0; i < LARGE_BYTES; i += PIECE_BYTES) {
        must_write(writer, str_slice(all, i, i + PIECE_BYTES));
    }
    must_commit(writer, &digest);
    blob_writer_free(writer);
    assert_true(test_blob_is(store, &digest, all));
    free(bytes);
}

static void empty_blob_is_a_blob(void **state)
{
    const struct str nothing = STR_LITERAL("");
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, nothing);

    must_push(store_in(state), nothing);
    assert_true(test_blob_is(store_in(state), &digest, nothing));
}

static void unknown_blob_is_not_found(void **state)
{
    static const enum digest_algorithm algorithms[] = {DIGEST_SHA256, DIGEST_SHA512};

    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        const struct digest digest = hasher_digest_of(algorithms[i], hello);

        assert_true(test_blob_is_missing(store_in(state), &digest));
    }
}

static void digest_of_another_algorithm_is_committed(void **state)
{
    static const struct {
        enum digest_algorithm hashed;
        enum digest_algorithm expected;
    } cases[] = {
        {DIGEST_SHA256, DIGEST_SHA512},
        {DIGEST_SHA512, DIGEST_SHA256},
        {DIGEST_SHA512, DIGEST_SHA512},
    };
    struct blob_store *store = store_in(state);
    char *bytes = test_bytes_new(PIECE_BYTES + 1, 3);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct str all = {bytes, PIECE_BYTES + 1 - i};
        const struct digest digest = hasher_digest_of(cases[i].expected, all);
        struct blob_upload upload;
        struct blob_writer *writer;

        blob_upload_init(&upload, cases[i].hashed);
        writer = must_open(store, &upload);
        must_write(writer, all);
        must_commit(writer, &digest);
        blob_writer_free(writer);
        assert_true(test_blob_is(store, &digest, all));
    }
    free(bytes);
}

static void existing_content_is_committed_again(void **state)
{
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, hello);

    for (size_t i = 0; i < 3; i++) {
        must_push(store_in(state), hello);
        assert_true(test_blob_is(store_in(state), &digest, hello));
    }
}

/* What a client does that got no answer: all over again, under the upload's id. */
static void blob_never_changes_whatever_its_upload_does(void **state)
{
    struct blob_store *store = store_in(state);
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, hello);
    const struct str other = STR_LITERAL("other bytes, under the id of a committed upload");
    struct blob_upload upload;
    struct blob_writer *writer;
    struct blob_content content;

    blob_upload_init(&upload, DIGEST_SHA256);
    writer = must_open(store, &upload);
    must_write(writer, hello);
    must_commit(writer, &digest);
    blob_writer_free(writer);
    assert_int_equal(blob_store_read(store, &digest, NULL, &content, NULL), OK);

    writer = must_open(store, &upload);
    must_write(writer, other);
    assert_true(test_blob_is(store, &digest, hello));
    blob_writer_free(writer);
    assert_int_equal(blob_store_discard(store, &upload, NULL), OK);
    assert_true(test_blob_is(store, &digest, hello));
    assert_int_equal(content.size_bytes, hello.length);
    blob_content_release(&content);
}

struct pusher {
    struct blob_store *store;
    bool is_ok;
};

/* Every thread pushes the same few contents, and reads each as soon as it is acknowledged. */
static void *push_all(void *argument)
{
    struct pusher *pusher = argument;

    pusher->is_ok = true;
    for (unsigned i = 0; i < ROUNDS * CONTENTS && pusher->is_ok; i++) {
        char *bytes = test_bytes_new(1000, i % CONTENTS);
        const struct str content = {bytes, 1000};
        const struct digest digest = hasher_digest_of(DIGEST_SHA256, content);

        pusher->is_ok = test_blob_push(pusher->store, content, NULL) == OK &&
                        test_blob_is(pusher->store, &digest, content);
        free(bytes);
    }
    return NULL;
}

static void threads_may_commit_the_same_content(void **state)
{
    struct pusher pushers[THREADS];
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++) {
        pushers[i] = (struct pusher){.store = store_in(state)};
        assert_int_equal(pthread_create(&threads[i], NULL, push_all, &pushers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_true(pushers[i].is_ok);
    }
}

/* A push that makes every kind of driver call once at least; stops at the first failure. */
static enum error_code push_in_two_requests(struct blob_store *store,
                                            const struct blob_upload *fresh,
                                            const struct digest *digest)
{
    struct blob_upload upload = *fresh;
    struct blob_writer *writer = NULL;
    enum error_code code = blob_writer_open(store, fresh, &writer, NULL);

    if (!code) {
        code = blob_writer_write(writer, str_slice(hello, 0, 8), NULL);
    }
    if (!code) {
        code = blob_writer_suspend(writer, &upload, NULL);
    }
    blob_writer_free(writer);
    writer = NULL;
    if (!code) {
        code = blob_writer_open(store, &upload, &writer, NULL);
    }
    if (!code) {
        code = blob_writer_write(writer, str_from_index(hello, 8), NULL);
    }
    if (!code) {
        code = blob_writer_commit(writer, digest, NULL, NULL);
    }
    blob_writer_free(writer);
    blob_upload_release(&upload);
    return code;
}

static void failure_at_any_call_leaves_no_half_written_blob(void **state)
{
    struct blob_store *store = store_in(state);
    const struct digest digest = hasher_digest_of(DIGEST_SHA512, hello);
    struct blob_store *faulty = faulty_store_new(store);
    enum error_code code = ERROR_NO_SPACE;
    unsigned call = 0;

    while (code) {
        struct blob_upload upload;

        call++;
        assert_true(call < MAX_DRIVER_CALLS);
        assert_true(test_blob_is_missing(store, &digest));
        blob_upload_init(&upload, DIGEST_SHA256);
        faulty_store_fail_at(faulty, call, ERROR_NO_SPACE);
        code = push_in_two_requests(faulty, &upload, &digest);
        assert_true(code == OK || code == ERROR_NO_SPACE);
        assert_int_equal(blob_store_discard(store, &upload, NULL), OK);
    }
    assert_int_equal(faulty_store_calls(faulty), call - 1);
    assert_true(call > 7); /* open, write, suspend, open, write, rehash, publish */
    assert_true(test_blob_is(store, &digest, hello));
    blob_store_free(faulty);
}

int blob_store_contract_run(const struct blob_store_contract *contract)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(blob_written_in_pieces_is_read_back),
        cmocka_unit_test(large_blob_is_read_back),
        cmocka_unit_test(empty_blob_is_a_blob),
        cmocka_unit_test(unknown_blob_is_not_found),
        cmocka_unit_test(digest_of_another_algorithm_is_committed),
        cmocka_unit_test(existing_content_is_committed_again),
        cmocka_unit_test(blob_never_changes_whatever_its_upload_does),
        cmocka_unit_test(threads_may_commit_the_same_content),
        cmocka_unit_test(failure_at_any_call_leaves_no_half_written_blob),
    };

    return run_in_fresh_stores(contract, "blobs", tests, ARRAY_LEN(tests)) +
           run_upload_tests(contract);
}
