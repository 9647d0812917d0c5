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

enum { LIMIT_BYTES = 256 * 1024, LARGE_BYTES = 2000, MANY = 1000, THREADS = 4, TURNS = 2000 };

static int set_up(void **state)
{
    *state = content_cache_new(LIMIT_BYTES);
    return 0;
}

static int tear_down(void **state)
{
    content_cache_free(*state);
    return 0;
}

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

static void put(struct content_cache *cache, const char *key, const char *text)
{
    const struct content content = content_of(text);

    content_cache_put(cache, str_from(key), &content);
}

static bool has(struct content_cache *cache, const char *key, const char *text)
{
    struct content *content = content_cache_take(cache, str_from(key));
    const bool is_there = content && str_is(content->bytes, text);

    content_release(content);
    return is_there;
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

static void what_was_not_put_is_unknown(void **state)
{
    put(*state, "key", "bytes");
    assert_null(content_cache_take(*state, str_from("ke")));
    assert_null(content_cache_take(*state, str_from("key2")));
    assert_null(content_cache_take(*state, (struct str){"key\0", 4}));
}

static void what_is_known_is_not_replaced(void **state)
{
    put(*state, "key", "first");
    put(*state, "key", "second");
    assert_true(has(*state, "key", "first"));
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

#define CACHE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE_TEST(what_was_put_comes_back_whole),
        CACHE_TEST(what_was_not_put_is_unknown),
        CACHE_TEST(what_is_known_is_not_replaced),
        CACHE_TEST(what_nobody_asks_for_goes_first),
        CACHE_TEST(memory_is_bounded),
        CACHE_TEST(what_was_taken_outlives_its_place),
        CACHE_TEST(what_is_too_large_is_not_kept),
        CACHE_TEST(nothing_may_be_freed_or_released),
        CACHE_TEST(threads_see_whole_entries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
