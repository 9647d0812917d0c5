#include "registry/blobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/digest.h"
#include "blobs/filesystem_store.h"
#include "metadata/swept_blobs.h"
#include "registry_world.h"
#include "tests/support/blob_helper.h"
#include "tests/support/faulty_store.h"

enum { BLOB_BYTES = 100 * 1000 };

static void blob_is_found_and_read(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = registry_world_push_blob(world, "content");
    struct blob_content content;
    uint64_t size_bytes = 0;
    bool is_there = false;

    assert_int_equal(registry_find_blob(world->registry, &digest, &is_there, &size_bytes, NULL),
                     OK);
    assert_true(is_there);
    assert_int_equal(size_bytes, 7);
    assert_int_equal(registry_read_blob(world->registry, &digest, &content, NULL), OK);
    assert_true(str_is(content.bytes, "content"));
    blob_content_release(&content);
}

static void missing_blob_is_not_found(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = digest_of("content");
    struct blob_content content;
    uint64_t size_bytes = 42;
    bool is_there = true;

    assert_int_equal(registry_find_blob(world->registry, &digest, &is_there, &size_bytes, NULL),
                     OK);
    assert_false(is_there);
    assert_int_equal(size_bytes, 42);
    assert_int_equal(registry_read_blob(world->registry, &digest, &content, &world->err),
                     ERROR_NOT_FOUND);
    assert_int_equal(world->err.topic, ABOUT_BLOB);
}

/* As after a sweep that ended between the mark and the bytes. */
static void swept_blob_is_not_there_though_its_bytes_are(void **state)
{
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "content", LAYER_TAR);
    const struct digest digest = digest_of("content");
    uint64_t size_bytes = 0;
    bool is_there = true;

    registry_world_run_sql(world,
                           arena_format(&world->arena, "insert into swept_blob values ('%s', 1)",
                                        registry_world_digest_text(world, "content")));
    assert_int_equal(registry_find_blob(world->registry, &digest, &is_there, &size_bytes, NULL),
                     OK);
    assert_false(is_there);
    assert_int_equal(registry_world_push(world, "team/app", "1", image), ERROR_NOT_FOUND);
    assert_int_equal(world->err.topic, ABOUT_REFERENCED);
    assert_int_equal(metadata_revive_blob(world->metadata, &digest, NULL), OK);
    assert_int_equal(registry_world_push(world, "team/app", "1", image), OK);
}

static void failing_store_is_not_a_missing_blob(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = registry_world_push_blob(world, "content");
    uint64_t size_bytes = 0;
    bool is_there = false;

    faulty_store_fail_at(world->blobs, 1, ERROR_UNAVAILABLE);
    assert_int_equal(registry_find_blob(world->registry, &digest, &is_there, &size_bytes, NULL),
                     ERROR_UNAVAILABLE);
}

static void read_in_pieces(struct registry *registry, const struct digest *digest, struct str bytes)
{
    struct blob_reader reader;
    char piece[777];
    size_t offset = 0;
    size_t length = 1;

    assert_int_equal(blob_reader_open(&reader, registry, digest, NULL), OK);
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

    read_in_pieces(world->registry, &digest, blob);
    read_in_pieces(world->registry, &empty, str_from(""));
    free(bytes);
}

static void blobs_in_files_are_read(void **state)
{
    struct registry_world *world = *state;
    struct registry_config config = {.metadata = world->metadata, .clock = &world->clock.clock};
    struct registry *registry = NULL;
    char *bytes = test_bytes_new(BLOB_BYTES, 2);
    const struct str blob = {bytes, BLOB_BYTES};
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, blob);
    struct strbuf whole;

    assert_int_equal(filesystem_store_new(world->folder, &config.blobs, NULL), OK);
    registry = registry_new(&config);
    assert_int_equal(test_blob_push(config.blobs, blob, NULL), OK);
    read_in_pieces(registry, &digest, blob);
    strbuf_init(&whole, BLOB_BYTES);
    assert_int_equal(blob_reader_read_all(registry, &digest, &whole, NULL), OK);
    assert_true(str_equal(strbuf_str(&whole), blob));
    strbuf_release(&whole);
    registry_free(registry);
    blob_store_free(config.blobs);
    free(bytes);
}

static void what_is_too_large_is_not_read(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = registry_world_push_blob(world, "12345");
    struct strbuf buf;

    strbuf_init(&buf, 4);
    assert_int_equal(blob_reader_read_all(world->registry, &digest, &buf, NULL), ERROR_TOO_LARGE);
    assert_int_equal(buf.length, 0);
    strbuf_release(&buf);
    strbuf_init(&buf, 5);
    assert_int_equal(blob_reader_read_all(world->registry, &digest, &buf, NULL), OK);
    assert_string_equal(buf.text, "12345");
    strbuf_release(&buf);
}

static void what_is_not_there_is_not_found(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = digest_of("never pushed");
    struct blob_reader reader;
    struct error err = {0};

    assert_int_equal(blob_reader_open(&reader, world->registry, &digest, &err), ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_BLOB);
    faulty_store_fail_at(world->blobs, 1, ERROR_UNAVAILABLE);
    assert_int_equal(blob_reader_open(&reader, world->registry, &digest, NULL), ERROR_UNAVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(blob_is_found_and_read),
        WORLD_TEST(missing_blob_is_not_found),
        WORLD_TEST(swept_blob_is_not_there_though_its_bytes_are),
        WORLD_TEST(failing_store_is_not_a_missing_blob),
        WORLD_TEST(blobs_in_memory_are_read),
        WORLD_TEST(blobs_in_files_are_read),
        WORLD_TEST(what_is_too_large_is_not_read),
        WORLD_TEST(what_is_not_there_is_not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
