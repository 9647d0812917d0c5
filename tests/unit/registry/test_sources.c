#include "registry/sources.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "registry_world.h"

static const struct scm_source claimed = {STR_LITERAL("git:x"), STR_LITERAL("abc"),
                                          STR_LITERAL("me"), STR_LITERAL("")};

/* Pushes an image of nothing, as somebody who says what it was built from, or does not. */
static void push(struct registry_world *world, const char *tag, const char *layers,
                 const struct scm_source *source)
{
    struct manifest_upload upload = {
        .repository = repository_of("team/app"),
        .media_type = str_from(OCI_IMAGE),
        .content = str_from(registry_world_make_image(world, layers, LAYER_COSIGN)),
        .identity = {str_from("employee"), str_from("jdoe")},
        .scm_source = source,
    };

    assert_int_equal(reference_parse(str_from(tag), &upload.reference, NULL), OK);
    assert_int_equal(
        registry_push_manifest(world->registry, &upload, &world->arena, &world->receipt, NULL), OK);
    fake_clock_advance(&world->clock, 1000);
}

static enum error_code find(struct registry_world *world, const char *tag, struct error *err)
{
    const struct repository repository = repository_of("team/app");
    struct scm_record record = {0};
    const enum error_code code = registry_find_scm_source(
        world->registry, &repository, str_from(tag), &world->arena, &record, err);

    assert_true(code || str_is(record.source.revision, "abc"));
    return code;
}

static void sources_are_found_by_tag(void **state)
{
    struct registry_world *world = *state;
    struct error err = {0};

    push(world, "1.0", "a", NULL);
    push(world, "2.0", "b", &claimed);
    assert_int_equal(find(world, "2.0", NULL), OK);
    assert_int_equal(find(world, "latest", NULL), OK);
    assert_int_equal(find(world, "1.0", &err), ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_SOURCE);
    assert_int_equal(find(world, "3.0", &err), ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_TAG);
}

static void signatures_and_digests_have_no_source(void **state)
{
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "a", LAYER_COSIGN);
    const char *digest = registry_world_digest_text(world, image);

    push(world, digest, "a", &claimed);
    push(world, arena_format(&world->arena, "sha256-%s.sig", digest + strlen("sha256:")), "a",
         &claimed);
    assert_int_equal(registry_world_count(world, "select count(*) from scm_source"), 0);
}

static enum error_code release(struct registry_world *world, const char *tag, struct error *err)
{
    const struct repository repository = repository_of("team/app");
    const struct release wanted = {&repository,
                                   str_from(tag),
                                   str_from("INC-1"),
                                   {str_from("employee"), str_from("jdoe")},
                                   &world->arena};

    return registry_mark_production_ready(world->registry, &wanted, err);
}

static void only_what_tells_its_source_is_released(void **state)
{
    struct registry_world *world = *state;
    struct error err = {0};

    push(world, "1.0", "a", NULL);
    push(world, "2.0", "b", &claimed);
    assert_int_equal(release(world, "1.0", &err), ERROR_INVALID);
    assert_int_equal(err.topic, ABOUT_SOURCE);
    assert_int_equal(release(world, "3.0", &err), ERROR_NOT_FOUND);
    assert_int_equal(release(world, "latest", NULL), OK);
    assert_int_equal(release(world, "2.0", &err), ERROR_CONFLICT);
}

static void images_are_asked_for_in_each_form(void **state)
{
    static const struct {
        const char *prefix;
        enum error_code code;
    } rows[] = {
        {"sha256:44136fa3", OK}, /* of the config {} */
        {"44136fa3", OK},
        {"4", OK},
        {"sha512:4", ERROR_NOT_FOUND},
        {"5", ERROR_NOT_FOUND},
        {"", ERROR_INVALID},
        {"sha256:", ERROR_INVALID},
        {"md5:4", ERROR_INVALID},
        {"44136FA3", ERROR_INVALID},
        {"4%", ERROR_INVALID},
    };
    struct registry_world *world = *state;

    push(world, "1.0", "a", NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct image_query query = {
            .prefix = str_from(rows[i].prefix), .limit = 10, .arena = &world->arena};
        struct image_tag_list list = {0};
        const enum error_code code = registry_list_image_tags(world->registry, &query, &list, NULL);

        if (code != rows[i].code || (!code && list.count != 1)) {
            fail_msg("%s: %d, %zu", rows[i].prefix, (int)code, list.count);
        }
    }
}

static void everything_is_counted(void **state)
{
    struct registry_world *world = *state;
    struct registry_statistics all = {0};
    struct team_statistics of_team = {0};

    push(world, "1.0", "a,b", NULL);
    push(world, "2.0", "a", NULL);
    assert_int_equal(registry_count_all(world->registry, &all, NULL), OK);
    assert_int_equal(all.teams, 1);
    assert_true(all.storage_bytes > strlen("{}ab"));
    assert_int_equal(registry_count_team(world->registry, str_from("team"), &of_team, NULL), OK);
    assert_int_equal(of_team.artifacts, 1);
    assert_int_equal(of_team.tags, 2);
}

int main(void)
{
    const struct CMUnitTest sources[] = {
        WORLD_TEST(sources_are_found_by_tag),
        WORLD_TEST(signatures_and_digests_have_no_source),
        WORLD_TEST(only_what_tells_its_source_is_released),
        WORLD_TEST(images_are_asked_for_in_each_form),
        WORLD_TEST(everything_is_counted),
    };

    return cmocka_run_group_tests(sources, NULL, NULL);
}
