#include "registry/recall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "registry/blobs.h"
#include "registry_world.h"

enum { SMALL_BYTES = 64 * 1024 };

/* What is remembered of a tag or digest; to be released. */
static struct content *recall(struct registry_world *world, const char *repository,
                              const char *reference)
{
    const struct repository name = repository_of(repository);
    struct reference parsed;

    assert_int_equal(reference_parse(str_from(reference), &parsed, NULL), OK);
    return registry_recall_manifest(world->registry, &name, &parsed);
}

static bool knows(struct registry_world *world, const char *repository, const char *reference)
{
    struct content *content = recall(world, repository, reference);

    content_release(content);
    return content != NULL;
}

/* Pushes an image to team/app, by a registry that then remembers nothing of it. */
static const char *push(struct registry_world *world, const char *tag, const char *layer)
{
    const char *image = registry_world_make_image(world, layer, LAYER_TAR);

    assert_int_equal(registry_world_push(world, "team/app", tag, image), OK);
    return image;
}

static void find(struct registry_world *world, const char *repository, const char *reference)
{
    struct manifest_found found;

    assert_int_equal(registry_world_find(world, repository, reference, &found), OK);
}

static void what_was_found_is_recalled_byte_for_byte(void **state)
{
    struct registry_world *world = *state;
    const char *image = push(world, "1.0", "one");
    const struct digest digest = digest_of(image);
    struct content *content = NULL;

    registry_world_remember(world);
    assert_false(knows(world, "team/app", "1.0"));
    find(world, "team/app", "1.0");
    content = recall(world, "team/app", "1.0");
    assert_non_null(content);
    assert_true(str_is(content->bytes, image));
    assert_true(str_is(content->media_type, OCI_IMAGE));
    assert_true(digest_equal(&content->digest, &digest));
    assert_int_equal(content->size_bytes, strlen(image));
    content_release(content);
    assert_true(knows(world, "team/app", registry_world_digest_text(world, image)));
}

/* A manifest belongs to the repository that it was pushed to. */
static void another_repository_recalls_nothing(void **state)
{
    struct registry_world *world = *state;
    const char *image = push(world, "1.0", "one");

    registry_world_remember(world);
    find(world, "team/app", "1.0");
    assert_false(knows(world, "team/app2", "1.0"));
    assert_false(knows(world, "team/ap", "1.0"));
    assert_false(knows(world, "team/other", registry_world_digest_text(world, image)));
}

static void what_may_mean_another_manifest_is_recalled_by_digest_only(void **state)
{
    struct registry_world *world = *state;
    const char *image = push(world, "1.0", "one");

    registry_world_remember(world);
    find(world, "team/app", "latest");
    assert_false(knows(world, "team/app", "latest"));
    assert_true(knows(world, "team/app", registry_world_digest_text(world, image)));
}

static void what_was_not_found_is_found_once_it_is_there(void **state)
{
    struct registry_world *world = *state;
    struct manifest_found found;

    registry_world_remember(world);
    assert_int_equal(registry_world_find(world, "team/app", "1.0", &found), ERROR_NOT_FOUND);
    assert_false(knows(world, "team/app", "1.0"));
    (void)push(world, "1.0", "one");
    find(world, "team/app", "1.0");
    assert_true(knows(world, "team/app", "1.0"));
}

static void read_blob(struct registry_world *world, const struct digest *digest)
{
    struct blob_content blob;

    assert_int_equal(registry_read_blob(world->registry, digest, &blob, NULL), OK);
    blob_content_release(&blob);
}

/* A manifest names it: then it stays. */
static struct digest push_named_blob(struct registry_world *world, const char *content)
{
    const char *image = registry_world_make_image(world, content, LAYER_TAR);

    assert_int_equal(registry_world_push(world, "team/app", "named", image), OK);
    return digest_of(content);
}

static void blob_that_may_be_swept_is_not_recalled(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = registry_world_push_blob(world, "content");

    registry_world_remember(world);
    read_blob(world, &digest);
    assert_null(registry_recall_blob(world->registry, &digest));
}

static void small_blob_is_recalled_with_its_bytes(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = push_named_blob(world, "content");
    struct content *content = NULL;

    registry_world_remember(world);
    assert_null(registry_recall_blob(world->registry, &digest));
    read_blob(world, &digest);
    content = registry_recall_blob(world->registry, &digest);
    assert_non_null(content);
    assert_true(content->has_bytes);
    assert_true(str_is(content->bytes, "content"));
    content_release(content);
}

static void of_a_large_blob_only_the_size_is_recalled(void **state)
{
    struct registry_world *world = *state;
    char *text = memory_new(SMALL_BYTES + 2, 1);
    struct digest digest;
    struct content *content = NULL;

    memset(text, 'x', SMALL_BYTES + 1);
    digest = push_named_blob(world, text);
    free(text);
    registry_world_remember(world);
    read_blob(world, &digest);
    content = registry_recall_blob(world->registry, &digest);
    assert_non_null(content);
    assert_false(content->has_bytes);
    assert_int_equal(content->size_bytes, SMALL_BYTES + 1);
    content_release(content);
}

static void without_a_cache_nothing_is_recalled(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = registry_world_push_blob(world, "content");

    (void)push(world, "1.0", "one");
    find(world, "team/app", "1.0");
    read_blob(world, &digest);
    assert_false(knows(world, "team/app", "1.0"));
    assert_null(registry_recall_blob(world->registry, &digest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(what_was_found_is_recalled_byte_for_byte),
        WORLD_TEST(another_repository_recalls_nothing),
        WORLD_TEST(what_may_mean_another_manifest_is_recalled_by_digest_only),
        WORLD_TEST(what_was_not_found_is_found_once_it_is_there),
        WORLD_TEST(blob_that_may_be_swept_is_not_recalled),
        WORLD_TEST(small_blob_is_recalled_with_its_bytes),
        WORLD_TEST(of_a_large_blob_only_the_size_is_recalled),
        WORLD_TEST(without_a_cache_nothing_is_recalled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
