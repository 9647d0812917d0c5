#include "registry/source_finder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/memory.h"
#include "registry/registry_private.h"
#include "registry_world.h"
#include "tests/support/faulty_store.h"
#include "tests/support/layer_maker.h"

enum { THREADS = 4, ROUNDS = 20000 };

#define LAYER_GZIP_TYPE "application/vnd.oci.image.layer.v1.tar+gzip"
enum { LAYER_MAX_BYTES = 1024 * 1024 };

#define SOURCE(revision) "{\"url\":\"git:x\",\"revision\":\"" revision "\"}"

static struct registry *searched;
static int searches_left;

static struct digest numbered(unsigned number)
{
    return hasher_digest_of(DIGEST_SHA256, (struct str){(const char *)&number, sizeof(number)});
}

static void what_was_added_is_known(void **state)
{
    struct scanned_layers *layers = memory_new(1, sizeof(*layers));
    const struct digest digest = numbered(1);

    (void)state;
    scanned_layers_init(layers);
    assert_false(scanned_layers_has(layers, &digest));
    scanned_layers_add(layers, &digest);
    assert_true(scanned_layers_has(layers, &digest));
    assert_false(scanned_layers_has(layers, &(struct digest){.bytes = {1}}));
    scanned_layers_release(layers);
    free(layers);
}

/* A newer one at the same place is remembered instead; no other is ever taken for it. */
static void what_is_forgotten_is_unknown(void **state)
{
    struct scanned_layers *layers = memory_new(1, sizeof(*layers));
    unsigned known = 0;

    (void)state;
    scanned_layers_init(layers);
    for (unsigned i = 0; i < 2 * SCANNED_LAYERS_SLOTS; i++) {
        const struct digest digest = numbered(i);

        scanned_layers_add(layers, &digest);
        assert_true(scanned_layers_has(layers, &digest));
    }
    for (unsigned i = 0; i < 3 * SCANNED_LAYERS_SLOTS; i++) {
        const struct digest digest = numbered(i);
        const bool is_known = scanned_layers_has(layers, &digest);

        assert_false(is_known && i >= 2 * SCANNED_LAYERS_SLOTS);
        known += is_known;
    }
    assert_true(known > SCANNED_LAYERS_SLOTS / 2);
    assert_true(known <= SCANNED_LAYERS_SLOTS);
    scanned_layers_release(layers);
    free(layers);
}

static void *add_and_ask(void *context)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        const struct digest digest = numbered(i % 100);

        scanned_layers_add(context, &digest);
        (void)scanned_layers_has(context, &digest);
    }
    return NULL;
}

static void threads_share_it(void **state)
{
    struct scanned_layers *layers = memory_new(1, sizeof(*layers));
    pthread_t threads[THREADS];
    const struct digest digest = numbered(5);

    (void)state;
    scanned_layers_init(layers);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, add_and_ask, layers), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    scanned_layers_add(layers, &digest);
    assert_true(scanned_layers_has(layers, &digest));
    scanned_layers_release(layers);
    free(layers);
}

/* A layer whose one file is that. Release the buffer. */
static struct strbuf make_layer(enum layer_kind kind, const char *name, const char *content)
{
    struct layer_maker maker;
    struct strbuf layer;

    layer_maker_init(&maker, LAYER_USTAR, kind);
    layer_maker_add_file(&maker, name, content);
    strbuf_init(&layer, LAYER_MAX_BYTES);
    strbuf_append(&layer, layer_maker_finish(&maker));
    layer_maker_release(&maker);
    return layer;
}

/* The same, as a descriptor. */
static const char *layer_with(struct registry_world *world, const char *name, const char *content)
{
    struct strbuf layer = make_layer(LAYER_GZIP, name, content);
    const struct digest digest = registry_world_push_bytes(world, strbuf_str(&layer));
    const char *described = registry_world_describe(world, LAYER_GZIP_TYPE, &digest, layer.length);

    strbuf_release(&layer);
    return described;
}

static const char *image_of(struct registry_world *world, const char *layers)
{
    const struct digest config = registry_world_push_blob(world, "{}");

    return arena_format(&world->arena, "{\"schemaVersion\":2,\"config\":%s,\"layers\":[%s]}",
                        registry_world_describe(world, "application/x", &config, 2), layers);
}

/* The revision that is found; empty: none. */
static struct str find_as(struct registry_world *world, const char *content, const char *type)
{
    struct manifest manifest;
    struct source_search search = {world->registry, str_from("team/app"), &manifest, &world->arena};
    struct scm_source source = {0};
    bool is_found = true;

    assert_int_equal(
        manifest_parse(str_from(content), str_from(type), &world->arena, &manifest, NULL), OK);
    assert_true(source_search_begin(world->registry, PUSH_WAITS));
    assert_int_equal(source_find(&search, &source, &is_found, NULL), OK);
    source_search_end(world->registry);
    assert_int_equal(is_found, source.revision.length > 0);
    return source.revision;
}

static struct str find(struct registry_world *world, const char *content)
{
    return find_as(world, content, OCI_IMAGE);
}

static void the_topmost_layer_that_tells_counts(void **state)
{
    struct registry_world *world = *state;
    const char *low = layer_with(world, "scm-source.json", SOURCE("low"));
    const char *high = layer_with(world, "./scm-source.json", SOURCE("high"));
    const char *none = layer_with(world, "other", "content");
    const char *image = image_of(world, arena_format(&world->arena, "%s,%s,%s", low, high, none));

    assert_true(str_is(find(world, image), "high"));
    assert_true(str_is(find(world, image), "high")); /* … also once the first is known */
    assert_int_equal(find(world, image_of(world, none)).length, 0);
    assert_int_equal(find(world, image_of(world, "")).length, 0);
}

static void what_makes_no_sense_does_not_tell(void **state)
{
    struct registry_world *world = *state;
    const char *good = layer_with(world, "scm-source.json", SOURCE("good"));
    const char *bad = layer_with(world, "scm-source.json", "{\"url\":1}");
    const struct digest text = registry_world_push_blob(world, "no archive");
    const char *broken = registry_world_describe(world, LAYER_GZIP_TYPE, &text, 10);
    const char *image = image_of(world, arena_format(&world->arena, "%s,%s,%s", good, bad, broken));

    assert_true(str_is(find(world, image), "good"));
}

/* By what the manifest says: references_check has compared it with what is there. */
static void large_layers_are_not_looked_into(void **state)
{
    struct registry_world *world = *state;
    struct strbuf layer = make_layer(LAYER_PLAIN, "scm-source.json", SOURCE("1"));
    const struct digest digest = registry_world_push_bytes(world, strbuf_str(&layer));
    const char *image =
        image_of(world, registry_world_describe(world, LAYER_TAR, &digest, SOURCE_LAYER_MAX_BYTES));
    const char *larger =
        image_of(world, registry_world_describe(world, LAYER_TAR, &digest,
                                                (size_t)SOURCE_LAYER_MAX_BYTES + 1));

    assert_int_equal(find(world, larger).length, 0);
    assert_true(str_is(find(world, image), "1"));
    strbuf_release(&layer);
}

static void what_is_no_archive_by_its_type_is_not_read(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = registry_world_push_blob(world, "text");
    const char *image = image_of(world, registry_world_describe(world, "text/plain", &digest, 4));

    faulty_store_fail_at(world->blobs, 1, ERROR_UNAVAILABLE);
    assert_int_equal(find(world, image).length, 0);
    assert_int_equal(faulty_store_calls(world->blobs), 0);
}

static void a_layer_that_does_not_tell_is_read_once(void **state)
{
    struct registry_world *world = *state;
    const char *image = image_of(world, layer_with(world, "other", "content"));

    faulty_store_fail_at(world->blobs, 0, OK);
    assert_int_equal(find(world, image).length, 0);
    assert_int_equal(faulty_store_calls(world->blobs), 1);
    assert_int_equal(find(world, image).length, 0);
    assert_int_equal(faulty_store_calls(world->blobs), 1);
}

/* Looked at in the middle of a search. */
static int64_t counting_ms(const struct clock *clock)
{
    (void)clock;
    (void)sem_getvalue(&searched->source_searches, &searches_left);
    return 0;
}

static void searches_are_counted_while_they_last(void **state)
{
    struct registry_world *world = *state;
    const char *image = image_of(world, layer_with(world, "scm-source.json", SOURCE("1")));

    searched = world->registry;
    world->clock.clock.monotonic_ms = counting_ms;
    assert_true(str_is(find(world, image), "1"));
    assert_int_equal(searches_left, SOURCE_SEARCHES_MAX - 1);
    (void)counting_ms(NULL);
    assert_int_equal(searches_left, SOURCE_SEARCHES_MAX);
}

/* A clock that goes on by a second whenever somebody looks at it. */
static int64_t ticking_ms(const struct clock *clock)
{
    static int64_t now_ms;

    (void)clock;
    now_ms += 1000;
    return now_ms;
}

/* What somebody's slow layer used up is not the fault of those below it. */
static void a_layer_for_which_no_time_was_left_is_looked_into_again(void **state)
{
    struct registry_world *world = *state;
    const char *image =
        image_of(world, arena_format(&world->arena, "%s,%s,%s,%s",
                                     layer_with(world, "scm-source.json", SOURCE("1")),
                                     layer_with(world, "one", "1"), layer_with(world, "two", "2"),
                                     layer_with(world, "three", "3")));
    struct fake_clock fresh;

    world->clock.clock.monotonic_ms = ticking_ms;
    assert_int_equal(find(world, image).length, 0);
    fake_clock_init(&fresh);
    world->clock.clock = fresh.clock;
    assert_true(str_is(find(world, image), "1"));
}

/* Else each push of it would take as long again. */
static void a_layer_that_takes_all_the_time_is_not_looked_into_again(void **state)
{
    struct registry_world *world = *state;
    struct layer_maker maker;
    struct digest digest;
    struct str layer;
    const char *image = NULL;

    layer_maker_init(&maker, LAYER_PAX, LAYER_GZIP);
    for (int64_t i = 0; i < SOURCE_TIME_MAX_MS / 1000; i++) {
        layer_maker_add_file(&maker, "another", "file");
    }
    layer_maker_add_file(&maker, "scm-source.json", SOURCE("1"));
    layer = layer_maker_finish(&maker);
    digest = registry_world_push_bytes(world, layer);
    image = image_of(world, registry_world_describe(world, LAYER_GZIP_TYPE, &digest, layer.length));
    world->clock.clock.monotonic_ms = ticking_ms;
    faulty_store_fail_at(world->blobs, 0, OK);
    assert_int_equal(find(world, image).length, 0);
    assert_int_equal(find(world, image).length, 0);
    assert_int_equal(faulty_store_calls(world->blobs), 1);
    layer_maker_release(&maker);
}

static void a_layer_that_cannot_be_read_is_a_failure(void **state)
{
    struct registry_world *world = *state;
    const char *image = image_of(world, layer_with(world, "scm-source.json", SOURCE("1")));
    struct manifest manifest;
    struct source_search search = {world->registry, str_from("team/app"), &manifest, &world->arena};
    struct scm_source source = {0};
    bool is_found = true;

    assert_int_equal(
        manifest_parse(str_from(image), str_from(OCI_IMAGE), &world->arena, &manifest, NULL), OK);
    faulty_store_fail_at(world->blobs, 1, ERROR_UNAVAILABLE);
    assert_int_equal(source_find(&search, &source, &is_found, NULL), ERROR_UNAVAILABLE);
    assert_true(str_is(find(world, image), "1")); /* it was not taken for one that does not tell */
}

/* One that may be elsewhere (foreign layers) is none to read. */
static void a_layer_that_is_elsewhere_does_not_tell(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = digest_of("never pushed");
    const char *image = image_of(
        world,
        registry_world_describe(world, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                                &digest, 10));

    assert_int_equal(find(world, image).length, 0);
}

static void an_index_is_built_from_what_its_images_are(void **state)
{
    struct registry_world *world = *state;
    const char *image = image_of(world, layer_with(world, "scm-source.json", SOURCE("inner")));
    const struct digest digest = digest_of(image);
    const struct digest blob = registry_world_push_blob(world, "a blob");
    const char *index =
        arena_format(&world->arena, "{\"schemaVersion\":2,\"manifests\":[%s,%s]}",
                     registry_world_describe(world, "application/x", &blob, 6),
                     registry_world_describe(world, OCI_IMAGE, &digest, strlen(image)));

    assert_int_equal(
        registry_world_push(world, "team/app", registry_world_digest_text(world, image), image),
        OK);
    assert_true(str_is(find_as(world, index, OCI_INDEX), "inner"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_is_known),
        cmocka_unit_test(what_is_forgotten_is_unknown),
        cmocka_unit_test(threads_share_it),
        WORLD_TEST(the_topmost_layer_that_tells_counts),
        WORLD_TEST(what_makes_no_sense_does_not_tell),
        WORLD_TEST(large_layers_are_not_looked_into),
        WORLD_TEST(what_is_no_archive_by_its_type_is_not_read),
        WORLD_TEST(a_layer_that_does_not_tell_is_read_once),
        WORLD_TEST(searches_are_counted_while_they_last),
        WORLD_TEST(a_layer_for_which_no_time_was_left_is_looked_into_again),
        WORLD_TEST(a_layer_that_takes_all_the_time_is_not_looked_into_again),
        WORLD_TEST(a_layer_that_cannot_be_read_is_a_failure),
        WORLD_TEST(a_layer_that_is_elsewhere_does_not_tell),
        WORLD_TEST(an_index_is_built_from_what_its_images_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
