#include "registry/content_cache.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/memory.h"
#include "registry/blobs.h"
#include "registry_world.h"

enum { LIMIT_BYTES = 256 * 1024, LARGE_BYTES = 2000, MANY = 1000, THREADS = 4, TURNS = 2000 };

#define CACHE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

enum { SMALL_BYTES = 64 * 1024 };

static struct content content_of(const char *text)
{
    const struct str bytes = str_from(text);

    return (struct content){
        .digest = hasher_digest_of(DIGEST_SHA256, bytes),
        .size_bytes = bytes.length,
        .has_bytes = true,
        .media_type = STR_LITERAL("text/plain"),
        .bytes = bytes,
    };
}

static void what_was_put_comes_back_whole(void **state)
{
    struct content expected = content_of("bytes");
    struct content *content = NULL;

    content_cache_put(*state, str_from("key"), &expected);
    content = content_cache_take(*state, str_from("key"));
    assert_non_null(content);
    assert_true(digest_equal(&content->digest, &expected.digest));
    assert_true(content->has_bytes);
    assert_int_equal(content->size_bytes, 5);
    assert_true(str_is(content->media_type, "text/plain"));
    assert_true(str_is(content->bytes, "bytes"));
    assert_ptr_not_equal(content->bytes.bytes, expected.bytes.bytes);
    content_release(content);
}

static void put(struct content_cache *cache, const char *key, const char *text)
{
    const struct content content = content_of(text);

    content_cache_put(cache, str_from(key), &content);
}

static void what_was_not_put_is_unknown(void **state)
{
    put(*state, "key", "bytes");
    assert_null(content_cache_take(*state, str_from("ke")));
    assert_null(content_cache_take(*state, str_from("key2")));
    assert_null(content_cache_take(*state, (struct str){"key\0", 4}));
}

static bool has(struct content_cache *cache, const char *key, const char *text)
{
    struct content *content = content_cache_take(cache, str_from(key));
    const bool is_there = content && str_is(content->bytes, text);

    content_release(content);
    return is_there;
}

static void what_is_known_is_not_replaced(void **state)
{
    put(*state, "key", "first");
    put(*state, "key", "second");
    assert_true(has(*state, "key", "first"));
}

/* Fills the cache several times over with what nobody asked for. */
static void flood(struct content_cache *cache, const char *wanted)
{
    char text[LARGE_BYTES];
    char key[32];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(key, sizeof(key), "flood-%d", i);
        put(cache, key, text);
        if (wanted) {
            content_release(content_cache_take(cache, str_from(wanted)));
        }
    }
}

static void what_nobody_asks_for_goes_first(void **state)
{
    put(*state, "wanted", "one");
    put(*state, "forgotten", "two");
    flood(*state, "wanted");
    assert_true(has(*state, "wanted", "one"));
    assert_false(has(*state, "forgotten", "two"));
}

static void memory_is_bounded(void **state)
{
    char key[32];
    int kept = 0;

    flood(*state, NULL);
    for (int i = 0; i < MANY; i++) {
        struct content *content = NULL;

        (void)snprintf(key, sizeof(key), "flood-%d", i);
        content = content_cache_take(*state, str_from(key));
        kept += content ? 1 : 0;
        content_release(content);
    }
    assert_true(kept > 0);
    assert_true(kept <= LIMIT_BYTES / LARGE_BYTES);
}

static void what_was_taken_outlives_its_place(void **state)
{
    struct content *content = NULL;

    put(*state, "key", "bytes");
    content = content_cache_take(*state, str_from("key"));
    flood(*state, NULL);
    assert_null(content_cache_take(*state, str_from("key")));
    assert_true(str_is(content->bytes, "bytes"));
    content_release(content);
}

static void what_is_too_large_is_not_kept(void **state)
{
    static char text[LIMIT_BYTES / 8];

    memset(text, 'x', sizeof(text) - 1);
    put(*state, "small", "bytes");
    put(*state, "large", text);
    assert_false(has(*state, "large", text));
    assert_true(has(*state, "small", "bytes"));
}

static void nothing_may_be_freed_or_released(void **state)
{
    (void)state;
    content_cache_free(NULL);
    content_release(NULL);
}

static void *use(void *cache)
{
    char key[32];

    for (int i = 0; i < TURNS; i++) {
        struct content *content = NULL;

        (void)snprintf(key, sizeof(key), "key-%d", i % 500);
        put(cache, key, key);
        content = content_cache_take(cache, str_from(key));
        if (content && !str_is(content->bytes, key)) {
            content_release(content);
            return cache;
        }
        content_release(content);
    }
    return NULL;
}

static void threads_see_whole_entries(void **state)
{
    pthread_t threads[THREADS];
    void *failure = NULL;

    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, use, *state), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], &failure), 0);
        assert_null(failure);
    }
}

/* Pushes an image to team/app, by a registry that then remembers nothing of it. */
static const char *push_empty(struct registry_world *world, const char *tag, const char *layer)
{
    const char *image = registry_world_make_image(world, layer, LAYER_TAR);

    assert_int_equal(registry_world_push(world, "team/app", tag, image), OK);
    return image;
}

/* What is remembered of a tag or digest; to be released. */
static struct content *recall(struct registry_world *world, const char *repository,
                              const char *reference)
{
    const struct repository name = repository_of(repository);
    struct reference parsed;

    assert_int_equal(reference_parse(str_from(reference), &parsed, NULL), OK);
    return registry_cached_manifest(world->registry, &name, &parsed);
}

static bool knows(struct registry_world *world, const char *repository, const char *reference)
{
    struct content *content = recall(world, repository, reference);

    content_release(content);
    return content != NULL;
}

static void find(struct registry_world *world, const char *repository, const char *reference)
{
    struct manifest_found found;

    assert_int_equal(registry_world_find(world, repository, reference, &found), OK);
}

static void what_was_found_is_recalled_byte_for_byte(void **state)
{
    struct registry_world *world = *state;
    const char *image = push_empty(world, "1.0", "one");
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
    const char *image = push_empty(world, "1.0", "one");

    registry_world_remember(world);
    find(world, "team/app", "1.0");
    assert_false(knows(world, "team/app2", "1.0"));
    assert_false(knows(world, "team/ap", "1.0"));
    assert_false(knows(world, "team/other", registry_world_digest_text(world, image)));
}

static void what_may_mean_another_manifest_is_recalled_by_digest_only(void **state)
{
    struct registry_world *world = *state;
    const char *image = push_empty(world, "1.0", "one");

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
    (void)push_empty(world, "1.0", "one");
    find(world, "team/app", "1.0");
    assert_true(knows(world, "team/app", "1.0"));
}

static void read_blob(struct registry_world *world, const struct digest *digest)
{
    struct blob_content blob;

    assert_int_equal(registry_read_blob(world->registry, digest, &blob, NULL), OK);
    blob_content_release(&blob);
}

static void blob_that_may_be_swept_is_not_recalled(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = registry_world_push_blob(world, "content");

    registry_world_remember(world);
    read_blob(world, &digest);
    assert_null(registry_cached_blob(world->registry, &digest));
}

/* A manifest names it: then it stays. */
static struct digest push_named_blob(struct registry_world *world, const char *content)
{
    const char *image = registry_world_make_image(world, content, LAYER_TAR);

    assert_int_equal(registry_world_push(world, "team/app", "named", image), OK);
    return digest_of(content);
}

static void small_blob_is_recalled_with_its_bytes(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = push_named_blob(world, "content");
    struct content *content = NULL;

    registry_world_remember(world);
    assert_null(registry_cached_blob(world->registry, &digest));
    read_blob(world, &digest);
    content = registry_cached_blob(world->registry, &digest);
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
    content = registry_cached_blob(world->registry, &digest);
    assert_non_null(content);
    assert_false(content->has_bytes);
    assert_int_equal(content->size_bytes, SMALL_BYTES + 1);
    content_release(content);
}

static void without_a_cache_nothing_is_recalled(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = registry_world_push_blob(world, "content");

    (void)push_empty(world, "1.0", "one");
    find(world, "team/app", "1.0");
    read_blob(world, &digest);
    assert_false(knows(world, "team/app", "1.0"));
    assert_null(registry_cached_blob(world->registry, &digest));
}

static int set_up(void **state)
{
    *state = content_cache_new(LIMIT_BYTES, NULL);
    return 0;
}

static int tear_down(void **state)
{
    content_cache_free(*state);
    return 0;
}

static int64_t counted(struct metrics *metrics, const char *name)
{
    return metrics_number(metrics, "pierone_content_cache", NULL, name);
}

static void what_is_found_and_kept_is_counted(void **state)
{
    struct metrics *const metrics = metrics_new();
    struct content_cache *const cache = content_cache_new(LIMIT_BYTES, metrics);

    (void)state;
    assert_false(has(cache, "key", "bytes"));
    put(cache, "key", "bytes");
    put(cache, "key", "bytes");
    assert_true(has(cache, "key", "bytes"));
    assert_int_equal(counted(metrics, "hits_total"), 1);
    assert_int_equal(counted(metrics, "misses_total"), 1);
    assert_int_equal(counted(metrics, "entries"), 1);
    assert_in_range(counted(metrics, "bytes"), sizeof("bytes"), LIMIT_BYTES);
    flood(cache, NULL);
    assert_int_equal(counted(metrics, "entries") + counted(metrics, "evictions_total"), MANY + 1);
    assert_in_range(counted(metrics, "bytes"), LARGE_BYTES, LIMIT_BYTES);
    content_cache_free(cache);
    assert_int_equal(counted(metrics, "entries"), 0);
    assert_int_equal(counted(metrics, "bytes"), 0);
    metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_found_and_kept_is_counted),
        CACHE_TEST(what_was_put_comes_back_whole),
        CACHE_TEST(what_was_not_put_is_unknown),
        CACHE_TEST(what_is_known_is_not_replaced),
        CACHE_TEST(what_nobody_asks_for_goes_first),
        CACHE_TEST(memory_is_bounded),
        CACHE_TEST(what_was_taken_outlives_its_place),
        CACHE_TEST(what_is_too_large_is_not_kept),
        CACHE_TEST(nothing_may_be_freed_or_released),
        CACHE_TEST(threads_see_whole_entries),
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
