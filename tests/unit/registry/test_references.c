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
#include "tests/support/old_schema.h"

enum { MANY = REFERENCES_MAX_MISSING + 50 };

#define OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define DOCKER_IMAGE "application/vnd.docker.distribution.manifest.v2+json"
#define DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define CACHE_CONFIG "application/vnd.buildkit.cacheconfig.v0"

static const struct {
    const char *tag;
    const char *format;
    const char *artifact_type;
    const char *of; /* tags of entries that are there already, or media types of layers */
    bool is_runnable;
} indexes[] = {
    {"index", OCI_INDEX, NULL, "oci,attestation", true},
    {"list", DOCKER_LIST, NULL, "docker", true},
    {"attested-last", OCI_INDEX, NULL, "attestation,oci", true},
    {"nested", OCI_INDEX, NULL, "chart,index", true},
    {"twice-nested", OCI_INDEX, NULL, "nested", true},
    {"empty", OCI_INDEX, NULL, "", false},
    {"referrers", OCI_INDEX, NULL, "signature,sbom", false},
    {"index-artifact", OCI_INDEX, "application/vnd.example", "oci", false},
    {"cache-index", OCI_INDEX, NULL, LAYER_TAR "+gzip," CACHE_CONFIG, false},
    {"cache-list", DOCKER_LIST, NULL,
     "application/vnd.docker.image.rootfs.diff.tar.gzip," CACHE_CONFIG, false},
};

#define OCI_CONFIG "application/vnd.oci.image.config.v1+json"

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

static enum error_code check_references(struct registry_world *world,
                                        const struct manifest *manifest,
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

    assert_int_equal(check_references(world, &manifest, &missing), ERROR_NOT_FOUND);
    assert_int_equal(world->err.topic, ABOUT_REFERENCED);
    assert_non_null(strstr(world->err.message, registry_world_digest_text(world, "a layer")));
    (void)registry_world_push_blob(world, "a layer");
    assert_int_equal(check_references(world, &manifest, &missing), OK);
}

static void manifest_is_no_blob(void **state)
{
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "one", LAYER_TAR);
    struct missing_references missing = {0};
    struct descriptor descriptor;
    struct manifest manifest = name(&descriptor, false, image);

    assert_int_equal(registry_world_push(world, "team/app", "1.0", image), OK);
    assert_int_equal(check_references(world, &manifest, &missing), ERROR_NOT_FOUND);
}

static void entry_of_an_index_is_a_manifest_of_the_same_repository(void **state)
{
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "one", LAYER_TAR);
    struct missing_references missing = {0};
    struct descriptor descriptor;
    struct manifest manifest = name(&descriptor, true, image);

    assert_int_equal(registry_world_push(world, "team/other", "1.0", image), OK);
    assert_int_equal(check_references(world, &manifest, &missing), ERROR_NOT_FOUND);
    assert_int_equal(registry_world_push(world, "team/app", "1.0", image), OK);
    assert_int_equal(check_references(world, &manifest, &missing), OK);
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
    assert_int_equal(check_references(world, &manifest, &missing), OK);
}

static void blob_is_no_manifest(void **state)
{
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "one", LAYER_TAR);
    struct missing_references missing = {0};
    struct descriptor descriptor;
    struct manifest manifest = name(&descriptor, true, image);

    (void)registry_world_push_blob(world, image);
    assert_int_equal(check_references(world, &manifest, &missing), ERROR_NOT_FOUND);
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
    assert_int_equal(check_references(world, &manifest, &missing), OK);
    descriptor.media_type = str_from(OCI_INDEX);
    assert_int_equal(check_references(world, &manifest, &missing), ERROR_INVALID);
    assert_int_equal(world->err.topic, ABOUT_MANIFEST);
    assert_non_null(strstr(world->err.message, OCI_INDEX ", but it was pushed as " OCI_IMAGE));
    descriptor.media_type = str_from(OCI_IMAGE);
    descriptor.size_bytes++;
    assert_int_equal(check_references(world, &manifest, &missing), ERROR_INVALID);
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
    assert_int_equal(check_references(world, &manifest, &missing), OK);
    assert_int_equal(registry_world_push(world, "team/app", "1.0", image), OK);
    assert_int_equal(check_references(world, &manifest, &missing), ERROR_INVALID);
    assert_int_equal(world->err.topic, ABOUT_MANIFEST);
    manifest.subject = subject;
    assert_int_equal(check_references(world, &manifest, &missing), OK);
    manifest.subject.media_type = str_from(OCI_INDEX);
    assert_int_equal(check_references(world, &manifest, &missing), ERROR_INVALID);
}

static void non_distributable_layer_need_not_be_there(void **state)
{
    struct registry_world *world = *state;
    struct missing_references missing = {0};
    struct descriptor descriptor;
    struct manifest manifest = name(&descriptor, false, "of another vendor");

    descriptor.may_be_elsewhere = true;
    assert_int_equal(check_references(world, &manifest, &missing), OK);
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
        assert_int_equal(check_references(world, &manifest, &missing), ERROR_INVALID);
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
    assert_int_equal(check_references(world, &manifest, &missing), ERROR_NOT_FOUND);
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
    assert_int_equal(check_references(world, &manifest, &missing), ERROR_UNAVAILABLE);
    registry_world_run_sql(world, "alter table manifest rename to gone");
    assert_int_equal(check_references(world, &manifest, &missing), ERROR_INTERNAL);
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

static const char *stated(struct registry_world *world, const char *artifact_type)
{
    return artifact_type ? arena_format(&world->arena, ",\"artifactType\":\"%s\"", artifact_type)
                         : "";
}

/* What clients push, and whether it can be run. */
static const struct {
    const char *tag;
    const char *format;
    const char *artifact_type; /* NULL: none is stated */
    const char *config_type;
    const char *layer_type; /* NULL: there are no layers */
    bool is_runnable;
} images[] = {
    {"oci", OCI_IMAGE, NULL, OCI_CONFIG, LAYER_TAR "+gzip", true},
    {"encrypted", OCI_IMAGE, NULL, OCI_CONFIG, LAYER_TAR "+gzip+encrypted", true},
    {"docker", DOCKER_IMAGE, NULL, DOCKER_CONFIG,
     "application/vnd.docker.image.rootfs.diff.tar.gzip", true},
    {"shouting", OCI_IMAGE, NULL, "application/vnd.OCI.image.config.v1+json",
     "application/vnd.OCI.image.layer.v1.tar", true},
    {"scratch", OCI_IMAGE, NULL, OCI_CONFIG, NULL, true},
    {"stated", OCI_IMAGE, OCI_CONFIG, OCI_CONFIG, LAYER_TAR, true},
    {"cache", OCI_IMAGE, NULL, CACHE_CONFIG, LAYER_TAR "+gzip", false},
    {"signature", OCI_IMAGE, NULL, OCI_CONFIG, LAYER_COSIGN, false},
    {"sbom", OCI_IMAGE, NULL, OCI_CONFIG, "text/spdx+json", false},
    {"attestation", OCI_IMAGE, NULL, OCI_CONFIG, "application/vnd.in-toto+json", false},
    {"attestation-artifact", OCI_IMAGE, "application/vnd.docker.attestation.manifest.v1+json",
     OCI_CONFIG, "application/vnd.in-toto+json", false},
    {"artifact", OCI_IMAGE, "application/vnd.example", OCI_CONFIG, LAYER_TAR, false},
    {"oras", OCI_IMAGE, "application/vnd.example", "application/vnd.oci.empty.v1+json",
     "application/vnd.oci.empty.v1+json", false},
    {"chart", OCI_IMAGE, NULL, "application/vnd.cncf.helm.config.v1+json",
     "application/vnd.cncf.helm.chart.content.v1.tar+gzip", false},
    {"wasm", OCI_IMAGE, NULL, "application/vnd.wasm.config.v0+json", "application/wasm", false},
    {"wasm-as-image", OCI_IMAGE, NULL, OCI_CONFIG, "application/wasm", false},
};

static void push(struct registry_world *world, const char *tag, const char *format,
                 const char *content)
{
    assert_int_equal(registry_world_push_as(world, "team/app", tag, content, format), OK);
    fake_clock_advance(&world->clock, 1);
}

static void push_image(struct registry_world *world, size_t i)
{
    const struct digest blob = registry_world_push_blob(world, "{}");
    const char *layer =
        images[i].layer_type ? registry_world_describe(world, images[i].layer_type, &blob, 2) : "";

    push(world, images[i].tag, images[i].format,
         arena_format(&world->arena, "{\"schemaVersion\":2,\"config\":%s,\"layers\":[%s]%s}",
                      registry_world_describe(world, images[i].config_type, &blob, 2), layer,
                      stated(world, images[i].artifact_type)));
}

static const char *describe_entry(struct registry_world *world, struct str of)
{
    const struct digest blob = registry_world_push_blob(world, "{}");
    const char *name = arena_text(&world->arena, of);
    struct manifest_found found;

    if (str_index_of(of, '/') < of.length) {
        return registry_world_describe(world, name, &blob, 2);
    }
    assert_int_equal(registry_world_find(world, "team/app", name, &found), OK);
    return registry_world_describe(world, arena_text(&world->arena, found.manifest.media_type),
                                   &found.manifest.digest, found.manifest.size_bytes);
}

static void push_index(struct registry_world *world, size_t i)
{
    const char *entries = "";
    struct str rest = str_from(indexes[i].of);
    struct str entry;

    while (str_cut(&rest, ',', &entry)) {
        entries = entry.length == 0
                      ? entries
                      : arena_format(&world->arena, "%s%s%s", entries, entries[0] ? "," : "",
                                     describe_entry(world, entry));
    }
    push(world, indexes[i].tag, indexes[i].format,
         arena_format(&world->arena, "{\"schemaVersion\":2,\"manifests\":[%s]%s}", entries,
                      stated(world, indexes[i].artifact_type)));
}

static void push_all(struct registry_world *world)
{
    for (size_t i = 0; i < ARRAY_LEN(images); i++) {
        push_image(world, i);
    }
    for (size_t i = 0; i < ARRAY_LEN(indexes); i++) {
        push_index(world, i);
    }
}

static void check(struct registry_world *world, const char *tag, bool is_runnable)
{
    const char *const of_tag =
        arena_format(&world->arena, "select is_runnable from tag where name = '%s'", tag);
    const char *const of_manifest = arena_format(&world->arena,
                                                 "select is_runnable from manifest where digest = "
                                                 "(select digest from tag where name = '%s')",
                                                 tag);

    if (registry_world_count(world, of_tag) != is_runnable ||
        registry_world_count(world, of_manifest) != is_runnable) {
        fail_msg("%s is %s", tag, is_runnable ? "an image" : "none");
    }
}

static void check_all(struct registry_world *world)
{
    for (size_t i = 0; i < ARRAY_LEN(images); i++) {
        check(world, images[i].tag, images[i].is_runnable);
    }
    for (size_t i = 0; i < ARRAY_LEN(indexes); i++) {
        check(world, indexes[i].tag, indexes[i].is_runnable);
    }
}

static void what_can_be_run_is_known_by_its_types(void **state)
{
    struct registry_world *world = *state;

    push_all(world);
    check_all(world);
}

/* The rule of the migration is the rule of the source. */
static void what_was_pushed_before_is_judged_the_same(void **state)
{
    struct registry_world *world = *state;
    struct metadata *metadata = NULL;
    const char *path = arena_format(&world->arena, "%s/metadata.sqlite", world->folder);
    struct strbuf script;

    push_all(world);
    strbuf_init(&script, 4096);
    old_schema_append(&script, 7);
    registry_world_run_sql(world, script.text);
    strbuf_release(&script);
    assert_int_equal(metadata_open_sqlite(path, &metadata, NULL), OK);
    check_all(world);
    metadata_free(metadata);
}

static void the_index_of_an_unreadable_database_is_refused(void **state)
{
    struct registry_world *world = *state;
    const struct repository repository = repository_of("team/app");
    struct descriptor entry = {.digest = digest_of("image")};
    const struct manifest index = {.is_index = true, .descriptors = &entry, .descriptor_count = 1};
    bool is_runnable = false;

    registry_world_run_sql(world, "alter table manifest rename to gone");
    assert_int_equal(runnable_find(world->registry, &repository, &index, &is_runnable, NULL),
                     ERROR_INTERNAL);
}

static void assert_latest(struct registry_world *world, const char *tag)
{
    struct manifest_found latest;
    struct manifest_found expected;

    assert_int_equal(registry_world_find(world, "team/app", "latest", &latest), OK);
    assert_int_equal(registry_world_find(world, "team/app", tag, &expected), OK);
    assert_true(digest_equal(&latest.manifest.digest, &expected.manifest.digest));
}

static void latest_is_what_can_be_run(void **state)
{
    struct registry_world *world = *state;

    for (size_t i = ARRAY_LEN(images); i-- > 0;) {
        push_image(world, i);
        assert_latest(world, images[i].tag);
        if (images[i].is_runnable) {
            break;
        }
    }
    push_image(world, ARRAY_LEN(images) - 1); /* no change */
    assert_latest(world, "stated");
}

/* Finds the platforms of a manifest of that type. */
static enum error_code find_platforms(struct registry_world *world, const char *content,
                                      const char *type, struct str *platforms)
{
    struct manifest manifest;

    assert_int_equal(
        manifest_parse(str_from(content), str_from(type), &world->arena, &manifest, NULL), OK);
    return platforms_find(world->registry, &manifest, str_from(content), &world->arena, platforms,
                          NULL);
}

static const char *image_with(struct registry_world *world, const char *config_type,
                              const char *config)
{
    const struct digest digest = registry_world_push_blob(world, config);

    return arena_format(&world->arena, "{\"schemaVersion\":2,\"config\":%s,\"layers\":[]}",
                        registry_world_describe(world, config_type, &digest, strlen(config)));
}

static void an_image_has_the_platform_of_its_config(void **state)
{
    static const char *const rows[][2] = {
        {"{\"os\":\"linux\",\"architecture\":\"amd64\"}", "linux/amd64\n"},
        {"{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\"}", "linux/arm64/v8\n"},
        {"{\"os\":\"windows\",\"architecture\":\"amd64\",\"os.version\":\"10\"}",
         "windows/amd64\n"},
        {"{\"os\":\"linux\"}", ""},
        {"{\"os\":\"linux\",\"architecture\":7}", ""},
        {"{\"os\":\"li/nux\",\"architecture\":\"amd64\"}", ""},
        {"{\"os\":\"linux\\n\",\"architecture\":\"amd64\"}", ""},
        {"not JSON", ""},
        {"{}", ""},
    };
    struct registry_world *world = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str platforms = {0};

        assert_int_equal(
            find_platforms(world, image_with(world, OCI_CONFIG, rows[i][0]), OCI_IMAGE, &platforms),
            OK);
        if (!str_is(platforms, rows[i][1])) {
            fail_msg("%s: %.*s", rows[i][0], STR_FORMAT(platforms));
        }
    }
}

static void ambiguous_config_is_refused(void **state)
{
    static const char *const configs[] = {
        "{\"os\":\"linux\",\"architecture\":\"amd64\",\"OS\":\"windows\"}",
        "{\"os\":\"linux\",\"Architecture\":\"amd64\"}",
        "{\"os\":\"linux\",\"architecture\":\"amd64\",\"os\":\"windows\"}",
        "{\"Config\":{}}",
    };
    struct registry_world *world = *state;

    for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
        struct str platforms = {0};
        const char *image = image_with(world, OCI_CONFIG, configs[i]);

        assert_int_equal(find_platforms(world, image, OCI_IMAGE, &platforms), ERROR_INVALID);
        assert_int_equal(platforms.length, 0);
    }
}

static void other_configs_are_not_looked_into(void **state)
{
    struct registry_world *world = *state;
    const char *image = image_with(world, "application/vnd.cncf.helm.config.v1+json",
                                   "{\"os\":\"linux\",\"architecture\":\"amd64\"}");
    struct str platforms = {0};

    faulty_store_fail_at(world->blobs, 1, ERROR_UNAVAILABLE);
    assert_int_equal(find_platforms(world, image, OCI_IMAGE, &platforms), OK);
    assert_int_equal(platforms.length, 0);
}

static void a_config_that_cannot_be_read_is_a_failure(void **state)
{
    struct registry_world *world = *state;
    const char *image = image_with(world, OCI_CONFIG, "{}");
    struct str platforms = {0};

    faulty_store_fail_at(world->blobs, 1, ERROR_UNAVAILABLE);
    assert_int_equal(find_platforms(world, image, OCI_IMAGE, &platforms), ERROR_UNAVAILABLE);
}

static void an_index_has_those_of_its_entries(void **state)
{
    struct registry_world *world = *state;
    const struct digest digest = digest_of("some image");
    const char *entry = registry_world_describe(world, OCI_IMAGE, &digest, 10);
    const int length = (int)strlen(entry) - 1;
    const char *index = arena_format(
        &world->arena,
        "{\"schemaVersion\":2,\"manifests\":["
        "%.*s,\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}},"
        "%.*s,\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\"}},"
        "%.*s,\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}},"
        "%.*s,\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"}},"
        "%.*s}]}",
        length, entry, length, entry, length, entry, length, entry, length, entry);
    struct str platforms = {0};

    assert_int_equal(find_platforms(world, index, OCI_INDEX, &platforms), OK);
    assert_true(str_is(platforms, "linux/amd64\nlinux/arm/v7\n"));
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
        WORLD_TEST(what_can_be_run_is_known_by_its_types),
        WORLD_TEST(what_was_pushed_before_is_judged_the_same),
        WORLD_TEST(the_index_of_an_unreadable_database_is_refused),
        WORLD_TEST(latest_is_what_can_be_run),
        WORLD_TEST(an_image_has_the_platform_of_its_config),
        WORLD_TEST(ambiguous_config_is_refused),
        WORLD_TEST(other_configs_are_not_looked_into),
        WORLD_TEST(a_config_that_cannot_be_read_is_a_failure),
        WORLD_TEST(an_index_has_those_of_its_entries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
