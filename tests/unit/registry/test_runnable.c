#include "registry/runnable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "registry_world.h"
#include "tests/support/old_schema.h"

#define OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define DOCKER_IMAGE "application/vnd.docker.distribution.manifest.v2+json"
#define DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define CACHE_CONFIG "application/vnd.buildkit.cacheconfig.v0"

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

static const char *stated(struct registry_world *world, const char *artifact_type)
{
    return artifact_type ? arena_format(&world->arena, ",\"artifactType\":\"%s\"", artifact_type)
                         : "";
}

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

int main(void)
{
    const struct CMUnitTest runnable[] = {
        WORLD_TEST(what_can_be_run_is_known_by_its_types),
        WORLD_TEST(what_was_pushed_before_is_judged_the_same),
        WORLD_TEST(the_index_of_an_unreadable_database_is_refused),
        WORLD_TEST(latest_is_what_can_be_run),
    };

    return cmocka_run_group_tests(runnable, NULL, NULL);
}
