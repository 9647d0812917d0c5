#include "registry/manifests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "registry_world.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SIGNATURE_TAG "sha256-" HEX64 ".sig"

/* Pushes an image of that one layer to team/app. */
static const char *push(struct registry_world *world, const char *tag, const char *layer)
{
    const char *image = registry_world_make_image(world, layer, LAYER_TAR);

    assert_int_equal(registry_world_push(world, "team/app", tag, image), OK);
    return image;
}

static void manifest_comes_back_byte_for_byte(void **state)
{
    static const char content[] =
        "{\n  \"schemaVersion\" :2, \"manifests\"\t:[ ],\"x\":\"\\u0041\"}\n";
    static const char type[] = "Application/VND.oci.image.index.v1+JSON; charset=utf-8";
    struct registry_world *world = *state;
    const struct digest digest = digest_of(content);
    struct manifest_found found;

    assert_int_equal(registry_world_push_as(world, "team/app", "1.0", content, type), OK);
    assert_int_equal(registry_world_find(world, "team/app", "1.0", &found), OK);
    assert_true(str_is(found.manifest.content, content));
    assert_true(str_is(found.manifest.media_type, OCI_INDEX));
    assert_true(digest_equal(&found.manifest.digest, &digest));
    assert_int_equal(found.manifest.size_bytes, sizeof(content) - 1);
}

static void latest_is_the_newest_tag(void **state)
{
    struct registry_world *world = *state;
    const char *first = push(world, "9.0", "one");
    const char *second = NULL;

    assert_true(registry_world_has(world, "team/app", "latest", first));
    fake_clock_advance(&world->clock, 1);
    second = push(world, "1.0", "two");
    assert_true(registry_world_has(world, "team/app", "latest", second));
    /* At the same moment, the later one. */
    first = push(world, "0.9", "three");
    assert_true(registry_world_has(world, "team/app", "latest", first));
}

static void latest_is_never_a_signature(void **state)
{
    struct registry_world *world = *state;
    const char *image = NULL;
    struct manifest_found found;

    (void)push(world, SIGNATURE_TAG, "signature");
    assert_int_equal(registry_world_find(world, "team/app", "latest", &found), ERROR_NOT_FOUND);
    assert_int_equal(world->err.topic, ABOUT_MANIFEST);
    image = push(world, "1.0", "one");
    fake_clock_advance(&world->clock, 1);
    (void)push(world, SIGNATURE_TAG, "signature");
    assert_true(registry_world_has(world, "team/app", "latest", image));
}

static void only_what_cannot_move_is_fixed(void **state)
{
    static const struct {
        const char *reference;
        bool snapshots_move;
        bool signatures_grow;
        bool is_fixed;
    } rows[] = {
        {"1.0", false, false, true},        {"1.0", true, true, true},
        {"latest", false, false, false},    {"latest", true, true, false},
        {"1-SNAPSHOT", false, true, true},  {"1-SNAPSHOT", true, false, false},
        {SIGNATURE_TAG, true, false, true}, {SIGNATURE_TAG, false, true, false},
    };
    struct registry_world *world = *state;
    const char *image = push(world, "1.0", "one");
    struct manifest_found found;

    (void)push(world, "1-SNAPSHOT", "one");
    (void)push(world, SIGNATURE_TAG, "one");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        registry_world_let_move(world, rows[i].snapshots_move, rows[i].signatures_grow);
        assert_int_equal(registry_world_find(world, "team/app", rows[i].reference, &found), OK);
        assert_int_equal(found.is_fixed, rows[i].is_fixed);
        assert_int_equal(registry_world_find(world, "team/app",
                                             registry_world_digest_text(world, image), &found),
                         OK);
        assert_true(found.is_fixed);
    }
}

static void unknown_repository_differs_from_unknown_manifest(void **state)
{
    static const struct {
        const char *repository;
        const char *reference;
        enum error_topic topic;
        const char *named;
    } rows[] = {
        {"team/none", "1.0", ABOUT_NAME, "team/none"},
        {"team/none", "latest", ABOUT_NAME, "team/none"},
        {"team/none", "sha256:" HEX64, ABOUT_NAME, "team/none"},
        {"team/app", "2.0", ABOUT_MANIFEST, "2.0"},
        {"team/app", "sha256:" HEX64, ABOUT_MANIFEST, "sha256:" HEX64},
        {"team/app", SIGNATURE_TAG, ABOUT_MANIFEST, SIGNATURE_TAG},
    };
    struct registry_world *world = *state;
    struct manifest_found found = {.is_fixed = true};

    (void)push(world, "1.0", "one");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(registry_world_find(world, rows[i].repository, rows[i].reference, &found),
                         ERROR_NOT_FOUND);
        assert_int_equal(world->err.topic, rows[i].topic);
        assert_non_null(strstr(world->err.message, rows[i].named));
        assert_null(found.manifest.content.bytes);
    }
}

static void digest_of_another_repository_is_not_found(void **state)
{
    struct registry_world *world = *state;
    const char *image = push(world, "1.0", "one");
    const char *other = registry_world_make_image(world, "two", LAYER_TAR);
    struct manifest_found found;

    assert_int_equal(registry_world_push(world, "team/other", "1.0", other), OK);
    assert_int_equal(
        registry_world_find(world, "team/other", registry_world_digest_text(world, image), &found),
        ERROR_NOT_FOUND);
    assert_int_equal(world->err.topic, ABOUT_MANIFEST);
}

static void failing_database_is_told_as_it_is(void **state)
{
    struct registry_world *world = *state;
    struct manifest_found found;

    registry_world_run_sql(world, "alter table tag rename to gone");
    assert_int_equal(registry_world_find(world, "team/app", "1.0", &found), ERROR_INTERNAL);
    assert_int_equal(registry_world_find(world, "team/app", "latest", &found), ERROR_INTERNAL);
    registry_world_run_sql(world, "alter table repository rename to gone_too");
    assert_int_equal(registry_world_find(world, "team/app", "sha256:" HEX64, &found),
                     ERROR_INTERNAL);
}

static void referrers_are_listed_by_their_subject(void **state)
{
    struct registry_world *world = *state;
    const struct digest subject = digest_of("an image");
    const char *index = arena_format(
        &world->arena,
        "{\"schemaVersion\":2,\"manifests\":[],\"artifactType\":\"a/b\",\"subject\":%s,"
        "\"annotations\":{\"c\":\"d\"}}",
        registry_world_describe(world, OCI_IMAGE, &subject, 8));
    const struct digest digest = digest_of(index);
    struct referrer_query query = {
        .repository = str_from("team/app"), .subject = subject, .limit = 10};
    struct referrer_page page;

    assert_int_equal(registry_world_push_as(world, "team/app", "1.0", index, OCI_INDEX), OK);
    assert_int_equal(registry_list_referrers(world->registry, &query, &world->arena, &page, NULL),
                     OK);
    assert_int_equal(page.count, 1);
    assert_true(digest_equal(&page.referrers[0].manifest.digest, &digest));
    assert_true(str_is(page.referrers[0].artifact_type, "a/b"));
    assert_true(str_is(page.referrers[0].annotations, "{\"c\":\"d\"}"));
    query.repository = str_from("team/other");
    assert_int_equal(registry_list_referrers(world->registry, &query, &world->arena, &page, NULL),
                     OK);
    assert_int_equal(page.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(manifest_comes_back_byte_for_byte),
        WORLD_TEST(latest_is_the_newest_tag),
        WORLD_TEST(latest_is_never_a_signature),
        WORLD_TEST(only_what_cannot_move_is_fixed),
        WORLD_TEST(unknown_repository_differs_from_unknown_manifest),
        WORLD_TEST(digest_of_another_repository_is_not_found),
        WORLD_TEST(failing_database_is_told_as_it_is),
        WORLD_TEST(referrers_are_listed_by_their_subject),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
