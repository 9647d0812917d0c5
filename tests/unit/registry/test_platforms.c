#include "registry/platforms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "registry_world.h"
#include "tests/support/faulty_store.h"

#define OCI_CONFIG "application/vnd.oci.image.config.v1+json"

/* Finds the platforms of a manifest of that type. */
static enum error_code find(struct registry_world *world, const char *content, const char *type,
                            struct str *platforms)
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
            find(world, image_with(world, OCI_CONFIG, rows[i][0]), OCI_IMAGE, &platforms), OK);
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

        assert_int_equal(find(world, image, OCI_IMAGE, &platforms), ERROR_INVALID);
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
    assert_int_equal(find(world, image, OCI_IMAGE, &platforms), OK);
    assert_int_equal(platforms.length, 0);
}

static void a_config_that_cannot_be_read_is_a_failure(void **state)
{
    struct registry_world *world = *state;
    const char *image = image_with(world, OCI_CONFIG, "{}");
    struct str platforms = {0};

    faulty_store_fail_at(world->blobs, 1, ERROR_UNAVAILABLE);
    assert_int_equal(find(world, image, OCI_IMAGE, &platforms), ERROR_UNAVAILABLE);
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

    assert_int_equal(find(world, index, OCI_INDEX, &platforms), OK);
    assert_true(str_is(platforms, "linux/amd64\nlinux/arm/v7\n"));
}

int main(void)
{
    const struct CMUnitTest platforms[] = {
        WORLD_TEST(an_image_has_the_platform_of_its_config),
        WORLD_TEST(ambiguous_config_is_refused),
        WORLD_TEST(other_configs_are_not_looked_into),
        WORLD_TEST(a_config_that_cannot_be_read_is_a_failure),
        WORLD_TEST(an_index_has_those_of_its_entries),
    };

    return cmocka_run_group_tests(platforms, NULL, NULL);
}
