#include "tests/support/memory_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/blob_helper.h"

static void bytes_live_as_long_as_the_store(void **state)
{
    const struct str bytes = STR_LITERAL("kept");
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, bytes);
    struct blob_store *store = memory_store_new();
    struct blob_content content;

    (void)state;
    assert_int_equal(test_blob_push(store, bytes, NULL), OK);
    assert_int_equal(blob_store_read(store, &digest, NULL, &content, NULL), OK);
    blob_content_release(&content);
    assert_int_equal(test_blob_push(store, bytes, NULL), OK);
    assert_int_equal(content.kind, BLOB_IN_MEMORY);
    assert_int_equal(content.fd, -1);
    assert_true(str_equal(content.bytes, bytes));
    blob_store_free(store);
}

static void store_frees_uploads_that_nobody_finished(void **state)
{
    const struct str bytes = STR_LITERAL("left behind");
    struct blob_store *store = memory_store_new();
    struct blob_writer *writer = NULL;
    struct blob_upload upload;

    (void)state;
    blob_upload_init(&upload, DIGEST_SHA256);
    assert_int_equal(blob_writer_open(store, &upload, &writer, NULL), OK);
    assert_int_equal(blob_writer_write(writer, bytes, NULL), OK);
    blob_writer_free(writer);
    blob_store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_live_as_long_as_the_store),
        cmocka_unit_test(store_frees_uploads_that_nobody_finished),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
