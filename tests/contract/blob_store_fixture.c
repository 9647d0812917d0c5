#include "tests/contract/blob_store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "tests/support/blob_helper.h"

struct fixture {
    const struct blob_store_contract *contract;
    struct blob_store *store;
};

const struct str hello = STR_LITERAL("hello, registry");

static int open_store(void **state);
static int close_store(void **state);

int run_in_fresh_stores(const struct blob_store_contract *contract, const char *group,
                        struct CMUnitTest *tests, size_t count)
{
    struct blob_store_contract given = *contract;
    char name[64];

    (void)snprintf(name, sizeof(name), "%s: %s", contract->driver, group);
    for (size_t i = 0; i < count; i++) {
        tests[i].setup_func = open_store;
        tests[i].teardown_func = close_store;
        tests[i].initial_state = &given;
    }
    return _cmocka_run_group_tests(name, tests, count, NULL, NULL);
}

static int open_store(void **state)
{
    struct fixture *fixture = memory_new(1, sizeof(*fixture));

    fixture->contract = *state;
    fixture->store = fixture->contract->open(fixture->contract->context);
    *state = fixture;
    return fixture->store ? 0 : -1;
}

static int close_store(void **state)
{
    struct fixture *fixture = *state;

    fixture->contract->close(fixture->store, fixture->contract->context);
    free(fixture);
    return 0;
}

struct blob_store *store_in(void **state)
{
    const struct fixture *fixture = *state;

    return fixture->store;
}

struct blob_writer *must_open(struct blob_store *store, const struct blob_upload *upload)
{
    struct blob_writer *writer = NULL;
    struct error err = {0};

    if (blob_writer_open(store, upload, &writer, &err)) {
        fail_msg("cannot open an upload: %s", err.message);
    }
    return writer;
}

void must_write(struct blob_writer *writer, struct str bytes)
{
    struct error err = {0};

    if (blob_writer_write(writer, bytes, &err)) {
        fail_msg("cannot write: %s", err.message);
    }
}

void must_commit(struct blob_writer *writer, const struct digest *digest)
{
    struct error err = {0};

    if (blob_writer_commit(writer, digest, NULL, &err)) {
        fail_msg("cannot commit: %s", err.message);
    }
}

void must_push(struct blob_store *store, struct str bytes)
{
    struct error err = {0};

    if (test_blob_push(store, bytes, &err)) {
        fail_msg("cannot push: %s", err.message);
    }
}

void must_suspend_new(struct blob_store *store, struct str bytes, struct blob_upload *upload_out)
{
    struct blob_upload upload;
    struct blob_writer *writer;

    blob_upload_init(&upload, DIGEST_SHA256);
    writer = must_open(store, &upload);
    must_write(writer, bytes);
    assert_int_equal(blob_writer_suspend(writer, upload_out, NULL), OK);
    blob_writer_free(writer);
}

void must_be_gone(struct blob_store *store, const struct blob_upload *upload)
{
    struct blob_writer *writer = NULL;
    struct error err = {0};

    assert_true(upload->offset_bytes > 0);
    assert_int_equal(blob_writer_open(store, upload, &writer, &err), ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_UPLOAD);
    assert_null(writer);
}

void must_be_given_up(void **state, const struct blob_upload *upload)
{
    const struct fixture *fixture = *state;

    if (!fixture->contract->keeps_objects) {
        must_be_gone(fixture->store, upload);
    }
}
