#include "registry/references.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "registry_world.h"
#include "tests/support/faulty_store.h"

enum { MANY = REFERENCES_MAX_MISSING + 50 };

/* A manifest of one descriptor. */
static struct manifest name(struct descriptor *descriptor, bool is_index, const char *content)
{
    *descriptor = (struct descriptor){
        .digest = digest_of(content),
        .size_bytes = strlen(content),
        .media_type = str_from(is_index ? OCI_IMAGE : LAYER_TAR),
    };
    return (struct manifest){.is_index = is_index,
                             .descriptors = descriptor,
                             .descriptor_count = 1,
                             .first_layer = is_index ? 0 : 1};
}

static enum error_code check(struct registry_world *world, const struct manifest *manifest,
                             struct missing_references *missing)
{
    const struct repository repository = repository_of("team/app");

    world->err = (struct error){0};
    return references_check(world->registry, &repository, manifest, &world->arena, missing,
                            &world->err);
}

static void blob_of_anybody_is_enough(void **state)
{
    struct registry_world *world = *state;
    struct missing_references missing = {0};
    struct descriptor descriptor;
    struct manifest manifest = name(&descriptor, false, "a layer");

    assert_int_equal(check(world, &manifest, &missing), ERROR_NOT_FOUND);
    assert_int_equal(world->err.topic, ABOUT_REFERENCED);
    assert_non_null(strstr(world->err.message, registry_world_digest_text(world, "a layer")));
    (void)registry_world_push_blob(world, "a layer");
    assert_int_equal(check(world, &manifest, &missing), OK);
}

static void manifest_is_no_blob(void **state)
{
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "one", LAYER_TAR);
    struct missing_references missing = {0};
    struct descriptor descriptor;
    struct manifest manifest = name(&descriptor, false, image);

    assert_int_equal(registry_world_push(world, "team/app", "1.0", image), OK);
    assert_int_equal(check(world, &manifest, &missing), ERROR_NOT_FOUND);
}

static void entry_of_an_index_is_a_manifest_of_the_same_repository(void **state)
{
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "one", LAYER_TAR);
    struct missing_references missing = {0};
    struct descriptor descriptor;
    struct manifest manifest = name(&descriptor, true, image);

    assert_int_equal(registry_world_push(world, "team/other", "1.0", image), OK);
    assert_int_equal(check(world, &manifest, &missing), ERROR_NOT_FOUND);
    assert_int_equal(registry_world_push(world, "team/app", "1.0", image), OK);
    assert_int_equal(check(world, &manifest, &missing), OK);
}

/* BuildKit's cache. */
static void entry_of_an_index_may_be_a_blob(void **state)
{
    struct registry_world *world = *state;
    struct missing_references missing = {0};
    struct descriptor descriptor;
    struct manifest manifest = name(&descriptor, true, "a layer");

    descriptor.media_type = str_from(LAYER_TAR);
    (void)registry_world_push_blob(world, "a layer");
    assert_int_equal(check(world, &manifest, &missing), OK);
}

static void blob_is_no_manifest(void **state)
{
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "one", LAYER_TAR);
    struct missing_references missing = {0};
    struct descriptor descriptor;
    struct manifest manifest = name(&descriptor, true, image);

    (void)registry_world_push_blob(world, image);
    assert_int_equal(check(world, &manifest, &missing), ERROR_NOT_FOUND);
}

static void entry_of_an_index_is_as_it_says(void **state)
{
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "one", LAYER_TAR);
    struct missing_references missing = {0};
    struct descriptor descriptor;
    struct manifest manifest = name(&descriptor, true, image);

    assert_int_equal(registry_world_push(world, "team/app", "1.0", image), OK);
    descriptor.media_type = str_from("Application/vnd.OCI.image.manifest.v1+JSON");
    assert_int_equal(check(world, &manifest, &missing), OK);
    descriptor.media_type = str_from(OCI_INDEX);
    assert_int_equal(check(world, &manifest, &missing), ERROR_INVALID);
    assert_int_equal(world->err.topic, ABOUT_MANIFEST);
    assert_non_null(strstr(world->err.message, OCI_INDEX ", but it was pushed as " OCI_IMAGE));
    descriptor.media_type = str_from(OCI_IMAGE);
    descriptor.size_bytes++;
    assert_int_equal(check(world, &manifest, &missing), ERROR_INVALID);
    assert_int_equal(world->err.topic, ABOUT_MANIFEST);
}

static void subject_may_be_missing_but_not_be_another(void **state)
{
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "one", LAYER_TAR);
    struct missing_references missing = {0};
    struct descriptor subject;
    struct manifest manifest = name(&subject, true, image);

    manifest.descriptor_count = 0;
    manifest.facts.has_subject = true;
    manifest.subject = subject;
    manifest.subject.size_bytes++;
    assert_int_equal(check(world, &manifest, &missing), OK);
    assert_int_equal(registry_world_push(world, "team/app", "1.0", image), OK);
    assert_int_equal(check(world, &manifest, &missing), ERROR_INVALID);
    assert_int_equal(world->err.topic, ABOUT_MANIFEST);
    manifest.subject = subject;
    assert_int_equal(check(world, &manifest, &missing), OK);
    manifest.subject.media_type = str_from(OCI_INDEX);
    assert_int_equal(check(world, &manifest, &missing), ERROR_INVALID);
}

static void non_distributable_layer_need_not_be_there(void **state)
{
    struct registry_world *world = *state;
    struct missing_references missing = {0};
    struct descriptor descriptor;
    struct manifest manifest = name(&descriptor, false, "of another vendor");

    descriptor.may_be_elsewhere = true;
    assert_int_equal(check(world, &manifest, &missing), OK);
}

static void wrong_size_is_refused_with_both(void **state)
{
    static const uint64_t sizes[] = {0, 6, 8, INT64_MAX};
    struct registry_world *world = *state;
    struct missing_references missing = {0};
    struct descriptor descriptor;
    struct manifest manifest = name(&descriptor, false, "a layer");

    (void)registry_world_push_blob(world, "a layer");
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        char wrong[32];

        (void)snprintf(wrong, sizeof(wrong), "has %llu bytes", (unsigned long long)sizes[i]);
        descriptor.size_bytes = sizes[i];
        assert_int_equal(check(world, &manifest, &missing), ERROR_INVALID);
        assert_int_equal(world->err.topic, ABOUT_MANIFEST);
        assert_non_null(strstr(world->err.message, wrong));
        assert_non_null(strstr(world->err.message, "it has 7"));
    }
}

static void each_missing_digest_is_told_once_up_to_a_bound(void **state)
{
    struct registry_world *world = *state;
    struct descriptor descriptors[2 * MANY];
    const struct manifest manifest = {.descriptors = descriptors,
                                      .descriptor_count = ARRAY_LEN(descriptors)};
    struct missing_references missing = {0};

    for (size_t i = 0; i < ARRAY_LEN(descriptors); i++) {
        char content[32];

        (void)snprintf(content, sizeof(content), "%zu", i / 2);
        descriptors[i] = (struct descriptor){.digest = digest_of(content)};
    }
    assert_int_equal(check(world, &manifest, &missing), ERROR_NOT_FOUND);
    assert_int_equal(missing.count, REFERENCES_MAX_MISSING);
    for (size_t i = 0; i < missing.count; i++) {
        assert_true(digest_equal(&missing.digests[i], &descriptors[2 * i].digest));
    }
}

static void failing_look_ups_are_told_as_they_are(void **state)
{
    struct registry_world *world = *state;
    struct missing_references missing = {0};
    struct descriptor descriptor;
    struct manifest manifest = name(&descriptor, true, "a layer");

    descriptor.media_type = str_from(LAYER_TAR);
    faulty_store_fail_at(world->blobs, 1, ERROR_UNAVAILABLE);
    assert_int_equal(check(world, &manifest, &missing), ERROR_UNAVAILABLE);
    registry_world_run_sql(world, "alter table manifest rename to gone");
    assert_int_equal(check(world, &manifest, &missing), ERROR_INTERNAL);
    assert_int_equal(missing.count, 0);
}

static void no_memory_for_what_is_missing_is_too_large(void **state)
{
    const struct repository repository = repository_of("team/app");
    struct registry_world *world = *state;
    const struct manifest manifest = {.descriptor_count = 0};
    struct missing_references missing = {0};
    struct arena small;

    arena_init(&small, 16);
    assert_int_equal(
        references_check(world->registry, &repository, &manifest, &small, &missing, &world->err),
        ERROR_TOO_LARGE);
    assert_int_equal(world->err.topic, ABOUT_MANIFEST);
    arena_release(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(blob_of_anybody_is_enough),
        WORLD_TEST(manifest_is_no_blob),
        WORLD_TEST(entry_of_an_index_is_a_manifest_of_the_same_repository),
        WORLD_TEST(entry_of_an_index_may_be_a_blob),
        WORLD_TEST(blob_is_no_manifest),
        WORLD_TEST(entry_of_an_index_is_as_it_says),
        WORLD_TEST(subject_may_be_missing_but_not_be_another),
        WORLD_TEST(non_distributable_layer_need_not_be_there),
        WORLD_TEST(wrong_size_is_refused_with_both),
        WORLD_TEST(each_missing_digest_is_told_once_up_to_a_bound),
        WORLD_TEST(failing_look_ups_are_told_as_they_are),
        WORLD_TEST(no_memory_for_what_is_missing_is_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
