#include "registry/tags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "registry_world.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(tags_are_those_of_the_repository_in_byte_order),
        WORLD_TEST(tags_come_page_by_page),
        WORLD_TEST(tags_of_an_unknown_repository_are_not_found),
        WORLD_TEST(repositories_are_listed_in_byte_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
