#include "registry/blobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "metadata/swept_blobs.h"
#include "registry_world.h"
#include "tests/support/faulty_store.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(blob_is_found_and_read),
        WORLD_TEST(missing_blob_is_not_found),
        WORLD_TEST(swept_blob_is_not_there_though_its_bytes_are),
        WORLD_TEST(failing_store_is_not_a_missing_blob),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
