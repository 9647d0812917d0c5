#include "registry/blob_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/digest.h"
#include "blobs/filesystem_store.h"
#include "registry_world.h"
#include "tests/support/blob_helper.h"
#include "tests/support/faulty_store.h"

enum { BLOB_BYTES = 100 * 1000 };

static void read_in_pieces(struct blob_store *store, const struct digest *digest, struct str bytes)
{
    struct blob_reader reader;
    char piece[777];
    size_t offset = 0;
    size_t length = 1;

    assert_int_equal(blob_reader_open(&reader, store, digest, NULL), OK);
    while (length > 0) {
        assert_int_equal(blob_reader_read(&reader, piece, sizeof(piece), &length, NULL), OK);
        assert_memory_equal(piece, bytes.bytes + offset, length);
        offset += length;
    }
    assert_int_equal(offset, bytes.length);
    blob_reader_close(&reader);
}

static void blobs_in_memory_are_read(void **state)
{
    struct registry_world *world = *state;
    char *bytes = test_bytes_new(BLOB_BYTES, 1);
    const struct str blob = {bytes, BLOB_BYTES};
    const struct digest digest = registry_world_push_bytes(world, blob);
    const struct digest empty = registry_world_push_blob(world, "");

    read_in_pieces(world->memory, &digest, blob);
    read_in_pieces(world->memory, &empty, str_from(""));
    free(bytes);
}

static void blobs_in_files_are_read(void **state)
{
    struct registry_world *world = *state;
    struct blob_store *store = NULL;
    char *bytes = test_bytes_new(BLOB_BYTES, 2);
    const struct str blob = {bytes, BLOB_BYTES};
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, blob);
    struct strbuf whole;

    assert_int_equal(filesystem_store_new(world->folder, &store, NULL), OK);
    assert_int_equal(test_blob_push(store, blob, NULL), OK);
    read_in_pieces(store, &digest, blob);
    strbuf_init(&whole, BLOB_BYTES);
    assert_int_equal(blob_reader_read_all(store, &digest, &whole, NULL), OK);
    assert_true(str_equal(strbuf_str(&whole), blob));
    strbuf_release(&whole);
    blob_store_free(store);
    free(bytes);
}

static void what_is_too_large_is_not_read(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = registry_world_push_blob(world, "12345");
    struct strbuf buf;

    strbuf_init(&buf, 4);
    assert_int_equal(blob_reader_read_all(world->memory, &digest, &buf, NULL), ERROR_TOO_LARGE);
    assert_int_equal(buf.length, 0);
    strbuf_release(&buf);
    strbuf_init(&buf, 5);
    assert_int_equal(blob_reader_read_all(world->memory, &digest, &buf, NULL), OK);
    assert_string_equal(buf.text, "12345");
    strbuf_release(&buf);
}

static void what_is_not_there_is_not_found(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = digest_of("never pushed");
    struct blob_reader reader;
    struct error err = {0};

    assert_int_equal(blob_reader_open(&reader, world->memory, &digest, &err), ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_BLOB);
    faulty_store_fail_at(world->blobs, 1, ERROR_UNAVAILABLE);
    assert_int_equal(blob_reader_open(&reader, world->blobs, &digest, NULL), ERROR_UNAVAILABLE);
}

int main(void)
{
    const struct CMUnitTest blob_reader[] = {
        WORLD_TEST(blobs_in_memory_are_read),
        WORLD_TEST(blobs_in_files_are_read),
        WORLD_TEST(what_is_too_large_is_not_read),
        WORLD_TEST(what_is_not_there_is_not_found),
    };

    return cmocka_run_group_tests(blob_reader, NULL, NULL);
}
