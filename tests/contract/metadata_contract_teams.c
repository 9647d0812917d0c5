#include "tests/contract/metadata_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "metadata/repositories.h"
#include "metadata/tags.h"

static void assert_page(const struct name_page *page, const char *const *names, size_t count,
                        bool has_more)
{
    assert_int_equal(page->count, count);
    assert_int_equal(page->has_more, has_more);
    for (size_t i = 0; i < count; i++) {
        assert_true(str_is(page->names[i], names[i]));
    }
}

static struct name_page list_teams(struct metadata_fixture *fixture, const char *after,
                                   size_t limit)
{
    const struct name_query query = {
        .after = str_from(after), .limit = limit, .arena = &fixture->arena};
    struct name_page page = {0};

    assert_int_equal(metadata_list_teams(fixture->metadata, &query, &page, NULL), OK);
    return page;
}

static struct name_page list_artifacts(struct metadata_fixture *fixture, const char *team,
                                       const char *after, size_t limit)
{
    const struct name_query query = {str_from(team), str_from(after), limit, &fixture->arena};
    struct name_page page = {0};

    assert_int_equal(metadata_list_artifacts(fixture->metadata, &query, &page, NULL), OK);
    return page;
}

static void push_to(struct metadata_fixture *fixture, const char *const *repositories, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)push_text(fixture, repositories[i], "1", "content");
    }
}

/* Names whose order by bytes would deceive: '-' and '.' stand before '/', '0' right behind it. */
static const char *const repositories[] = {"b/x",     "acme/a", "acme/b/c", "acme-x/a",
                                           "acme0/a", "acme/z", "acme.y/a", "a/a"};

static void each_team_is_listed_once(void **state)
{
    static const char *const teams[] = {"a", "acme-x", "acme.y", "acme", "acme0", "b"};
    struct metadata_fixture *fixture = *state;
    struct name_page page = list_teams(fixture, "", 10);

    assert_page(&page, NULL, 0, false);
    push_to(fixture, repositories, ARRAY_LEN(repositories));
    page = list_teams(fixture, "", 10);
    assert_page(&page, teams, 6, false);
    page = list_teams(fixture, "", 6);
    assert_page(&page, teams, 6, false);
    page = list_teams(fixture, "", 3);
    assert_page(&page, teams, 3, true);
    page = list_teams(fixture, "acme.y", 2);
    assert_page(&page, teams + 3, 2, true);
    page = list_teams(fixture, "acme0", 10);
    assert_page(&page, teams + 5, 1, false);
    page = list_teams(fixture, "b", 10);
    assert_page(&page, NULL, 0, false);
}

static void artifacts_are_those_of_the_team_alone(void **state)
{
    static const char *const artifacts[] = {"a", "b/c", "z"};
    struct metadata_fixture *fixture = *state;
    struct name_page page = {0};

    push_to(fixture, repositories, ARRAY_LEN(repositories));
    page = list_artifacts(fixture, "acme", "", 10);
    assert_page(&page, artifacts, 3, false);
    page = list_artifacts(fixture, "acme", "", 2);
    assert_page(&page, artifacts, 2, true);
    page = list_artifacts(fixture, "acme", "b/c", 2);
    assert_page(&page, artifacts + 2, 1, false);
    page = list_artifacts(fixture, "nobody", "", 10);
    assert_page(&page, NULL, 0, false);
}

static void push_at(struct metadata_fixture *fixture, const char *tag, const char *content,
                    enum tag_kind kind, int64_t created_ms)
{
    struct manifest_push push = push_of("team/app", tag, content);

    push.tags[0].kind = kind;
    push.created_ms = created_ms;
    push.facts.image_size_bytes = 77;
    must_push(fixture, &push);
}

static struct tag_detail_page list_tags(struct metadata_fixture *fixture, int64_t after_ms,
                                        int64_t after_sequence, size_t limit)
{
    const struct tag_detail_query query = {.repository = str_from("team/app"),
                                           .after_ms = after_ms,
                                           .after_sequence = after_sequence,
                                           .limit = limit,
                                           .arena = &fixture->arena};
    struct tag_detail_page page = {0};

    assert_int_equal(metadata_list_tag_details(fixture->metadata, &query, &page, NULL), OK);
    return page;
}

static void tags_are_listed_oldest_first_without_signatures(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct tag_detail_page page = {0};
    struct digest newest = {0};

    push_at(fixture, "b", "one", TAG_VERSION, 2000);
    push_at(fixture, "a", "two", TAG_VERSION, 2000);
    push_at(fixture, "c", "one", TAG_SNAPSHOT, 1000);
    push_at(fixture, "sha256-x.sig", "three", TAG_SIGNATURE, 500);
    newest = push_text(fixture, "team/other", "z", "one");
    page = list_tags(fixture, 0, 0, 10);
    assert_int_equal(page.count, 3);
    assert_false(page.has_more);
    assert_true(str_is(page.tags[0].tag.name, "c"));
    assert_true(str_is(page.tags[1].tag.name, "b"));
    assert_true(str_is(page.tags[2].tag.name, "a"));
    assert_memory_equal(&page.tags[1].tag.digest, &newest, sizeof(newest));
    assert_int_equal(page.tags[0].tag.created_ms, 1000);
    assert_int_equal(page.tags[0].tag.kind, TAG_SNAPSHOT);
    assert_int_equal(page.tags[0].image_size_bytes, 77);
    assert_true(page.tags[0].media_type.length > 0);
    assert_true(page.tags[0].tag.created_by.length > 0);
    page = list_tags(fixture, 0, 0, 2);
    assert_int_equal(page.count, 2);
    assert_true(page.has_more);
    page = list_tags(fixture, page.tags[1].tag.created_ms, page.tags[1].sequence, 2);
    assert_int_equal(page.count, 1);
    assert_false(page.has_more);
    assert_true(str_is(page.tags[0].tag.name, "a"));
}

static void the_newest_tags_are_the_last_of_all(void **state)
{
    static const struct {
        int64_t newest;
        size_t limit;
        const char *names;
        bool has_more;
    } rows[] = {
        {1, 10, "d", false},    {2, 10, "cd", false},           {3, 10, "acd", false},
        {4, 10, "bacd", false}, {INT64_MAX, 10, "bacd", false}, {3, 2, "ac", true},
    };
    struct metadata_fixture *fixture = *state;

    push_at(fixture, "b", "one", TAG_VERSION, 2000);
    push_at(fixture, "a", "two", TAG_VERSION, 2000);
    push_at(fixture, "d", "one", TAG_VERSION, 4000);
    push_at(fixture, "c", "one", TAG_VERSION, 3000);
    push_at(fixture, "sha256-x.sig", "three", TAG_SIGNATURE, 3500);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct tag_detail_query query = {.repository = str_from("team/app"),
                                               .newest = rows[i].newest,
                                               .limit = rows[i].limit,
                                               .arena = &fixture->arena};
        struct tag_detail_page page = {0};

        assert_int_equal(metadata_list_tag_details(fixture->metadata, &query, &page, NULL), OK);
        assert_int_equal(page.count, strlen(rows[i].names));
        assert_int_equal(page.has_more, rows[i].has_more);
        for (size_t j = 0; j < page.count; j++) {
            assert_int_equal(page.tags[j].tag.name.bytes[0], rows[i].names[j]);
        }
    }
}

/* However few there are: an answer stays within what a request may take. */
static void a_page_ends_early_when_platforms_are_many(void **state)
{
    enum { PLATFORMS_BYTES = TAG_PAGE_TEXT_BYTES / 2 + 1 };
    struct metadata_fixture *fixture = *state;
    struct tag_detail_query query = {.repository = str_from("team/app"), .limit = 10};
    char *const platforms = malloc(PLATFORMS_BYTES);
    struct tag_detail_page page = {0};
    struct arena large;

    memset(platforms, 'x', PLATFORMS_BYTES);
    for (int i = 0; i < 2; i++) {
        struct manifest_push push = push_of("team/app", i ? "2" : "1", i ? "two" : "one");

        push.facts.platforms = (struct str){platforms, PLATFORMS_BYTES};
        must_push(fixture, &push);
    }
    arena_init(&large, 2 * (size_t)TAG_PAGE_TEXT_BYTES);
    query.arena = &large;
    assert_int_equal(metadata_list_tag_details(fixture->metadata, &query, &page, NULL), OK);
    assert_int_equal(page.count, 1);
    assert_true(page.has_more);
    query.after_ms = page.tags[0].tag.created_ms;
    query.after_sequence = page.tags[0].sequence;
    assert_int_equal(metadata_list_tag_details(fixture->metadata, &query, &page, NULL), OK);
    assert_int_equal(page.count, 1);
    assert_true(str_is(page.tags[0].tag.name, "2"));
    assert_false(page.has_more);
    arena_release(&large);
    free(platforms);
}

static void what_is_not_there_is_said(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct tag_detail_query query = {
        .repository = str_from("team/app"), .limit = 10, .arena = &fixture->arena};
    struct tag_detail_page page = {.count = 42};
    struct tag_detail tag = {.sequence = 42};
    struct error err;

    assert_int_equal(metadata_list_tag_details(fixture->metadata, &query, &page, &err),
                     ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_NAME);
    assert_int_equal(page.count, 42);
    push_at(fixture, "1", "one", TAG_VERSION, 2000);
    assert_int_equal(metadata_find_tag_detail(fixture->metadata, query.repository, str_from("2"),
                                              &fixture->arena, &tag, &err),
                     ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_TAG);
    assert_int_equal(tag.sequence, 42);
    assert_int_equal(metadata_find_tag_detail(fixture->metadata, query.repository, str_from("1"),
                                              &fixture->arena, &tag, NULL),
                     OK);
    assert_true(str_is(tag.tag.name, "1"));
    assert_int_equal(tag.tag.created_ms, 2000);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, metadata_contract_set_up, metadata_contract_tear_down)

int metadata_contract_run_teams(void)
{
    const struct CMUnitTest metadata_contract_teams[] = {
        TEST(each_team_is_listed_once),
        TEST(artifacts_are_those_of_the_team_alone),
        TEST(tags_are_listed_oldest_first_without_signatures),
        TEST(the_newest_tags_are_the_last_of_all),
        TEST(a_page_ends_early_when_platforms_are_many),
        TEST(what_is_not_there_is_said),
    };

    return cmocka_run_group_tests(metadata_contract_teams, NULL, NULL);
}
