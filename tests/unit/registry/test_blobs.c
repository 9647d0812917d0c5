#include "registry/blobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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
        WORLD_TEST(failing_store_is_not_a_missing_blob),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
