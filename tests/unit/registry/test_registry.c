#include "registry/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "registry_world.h"

static void nothing_can_be_freed(void **state)
{
    (void)state;
    registry_free(NULL);
}

static void restart_with_other_settings_keeps_what_was_pushed(void **state)
{
    struct registry_world *world = *state;
    const char *image = registry_world_make_image(world, "one", LAYER_TAR);

    assert_int_equal(registry_world_push(world, "team/app", "1.0", image), OK);
    registry_world_let_move(world, true, true);
    assert_true(registry_world_has(world, "team/app", "1.0", image));
}

static void push(struct registry_world *world, const char *repository, const char *tag)
{
    const char *image = registry_world_make_image(world, "one", LAYER_TAR);

    assert_int_equal(registry_world_push(world, repository, tag, image), OK);
}

static enum error_code list_tags(struct registry_world *world, const char *repository,
                                 struct name_query query, struct name_page *page)
{
    const struct repository name = repository_of(repository);

    query.arena = &world->arena;
    world->err = (struct error){0};
    return registry_list_tags(world->registry, &name, &query, page, &world->err);
}

static void tags_are_those_of_the_repository_in_byte_order(void **state)
{
    static const char *const wanted[] = {"1.0", "10", "9", "A", "a"};
    struct registry_world *world = *state;
    struct name_page page;

    push(world, "team/other", "other");
    for (size_t i = ARRAY_LEN(wanted); i > 0; i--) {
        push(world, "team/app", wanted[i - 1]);
    }
    /* The query's own repository does not count. */
    assert_int_equal(
        list_tags(world, "team/app",
                  (struct name_query){.repository = str_from("team/other"), .limit = 10}, &page),
        OK);
    assert_int_equal(page.count, ARRAY_LEN(wanted));
    assert_false(page.has_more);
    for (size_t i = 0; i < page.count; i++) {
        assert_true(str_is(page.names[i], wanted[i]));
    }
}

static void tags_come_page_by_page(void **state)
{
    struct registry_world *world = *state;
    struct name_query query = {.limit = 2};
    struct name_page page;

    push(world, "team/app", "a");
    push(world, "team/app", "b");
    push(world, "team/app", "c");
    assert_int_equal(list_tags(world, "team/app", query, &page), OK);
    assert_int_equal(page.count, 2);
    assert_true(page.has_more);
    query.after = page.names[1];
    assert_int_equal(list_tags(world, "team/app", query, &page), OK);
    assert_int_equal(page.count, 1);
    assert_false(page.has_more);
    assert_true(str_is(page.names[0], "c"));
}

static void tags_of_an_unknown_repository_are_not_found(void **state)
{
    struct registry_world *world = *state;
    struct name_page page;

    assert_int_equal(list_tags(world, "team/app", (struct name_query){.limit = 1}, &page),
                     ERROR_NOT_FOUND);
    assert_int_equal(world->err.topic, ABOUT_NAME);
}

static void repositories_are_listed_in_byte_order(void **state)
{
    struct registry_world *world = *state;
    struct name_query query = {.limit = 2, .arena = &world->arena};
    struct name_page page;

    push(world, "team/b", "1.0");
    push(world, "team/a/b", "1.0");
    push(world, "team/a-b", "1.0");
    assert_int_equal(registry_list_repositories(world->registry, &query, &page, NULL), OK);
    assert_int_equal(page.count, 2);
    assert_true(page.has_more);
    assert_true(str_is(page.names[0], "team/a-b"));
    assert_true(str_is(page.names[1], "team/a/b"));
}

/* Pushes an image of nothing, as somebody who says what it was built from, or does not. */
static void push_claimed(struct registry_world *world, const char *tag, const char *layers,
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

    push_claimed(world, "1.0", "a", NULL);
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

    push_claimed(world, "1.0", "a,b", NULL);
    push_claimed(world, "2.0", "a", NULL);
    assert_int_equal(registry_count_all(world->registry, &all, NULL), OK);
    assert_int_equal(all.teams, 1);
    assert_true(all.storage_bytes > strlen("{}ab"));
    assert_int_equal(registry_count_team(world->registry, str_from("team"), &of_team, NULL), OK);
    assert_int_equal(of_team.artifacts, 1);
    assert_int_equal(of_team.tags, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_can_be_freed),
        WORLD_TEST(restart_with_other_settings_keeps_what_was_pushed),
        WORLD_TEST(tags_are_those_of_the_repository_in_byte_order),
        WORLD_TEST(tags_come_page_by_page),
        WORLD_TEST(tags_of_an_unknown_repository_are_not_found),
        WORLD_TEST(repositories_are_listed_in_byte_order),
        WORLD_TEST(images_are_asked_for_in_each_form),
        WORLD_TEST(everything_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
