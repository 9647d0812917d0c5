#include "tests/contract/metadata_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "metadata/repositories.h"

static struct name_page list_tags(struct metadata_fixture *fixture, const char *after, size_t limit)
{
    const struct name_query query = {str_from("team/app"), str_from(after), limit, &fixture->arena};
    struct name_page page = {0};

    assert_int_equal(metadata_list_tags(fixture->metadata, &query, &page, NULL), OK);
    return page;
}

static void assert_names(const struct name_page *page, const char *const *names, size_t count)
{
    assert_int_equal(page->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_true(str_is(page->names[i], names[i]));
    }
}

static void tags_are_listed_by_byte_value_in_pages(void **state)
{
    static const char *const sorted[] = {"1.0", "1.10", "1.9", "A", "Z", "_a", "a", "b-1"};
    static const size_t pushed[] = {5, 0, 7, 3, 6, 1, 4, 2};
    struct metadata_fixture *fixture = *state;
    struct name_page page;

    (void)push_text(fixture, "team/other", "another", "content");
    for (size_t i = 0; i < ARRAY_LEN(pushed); i++) {
        (void)push_text(fixture, "team/app", sorted[pushed[i]], "content");
    }
    page = list_tags(fixture, "", 100);
    assert_names(&page, sorted, ARRAY_LEN(sorted));
    assert_false(page.has_more);
    page = list_tags(fixture, "", ARRAY_LEN(sorted));
    assert_names(&page, sorted, ARRAY_LEN(sorted));
    assert_false(page.has_more);
    page = list_tags(fixture, "", ARRAY_LEN(sorted) - 1);
    assert_true(page.has_more);
    page = list_tags(fixture, "", 3);
    assert_names(&page, sorted, 3);
    assert_true(page.has_more);
    page = list_tags(fixture, "1.9", 5);
    assert_names(&page, sorted + 3, 5);
    assert_false(page.has_more);
    page = list_tags(fixture, "B", 2);
    assert_names(&page, sorted + 4, 2);
    page = list_tags(fixture, "b-1", 5);
    assert_int_equal(page.count, 0);
    page = list_tags(fixture, "", 0);
    assert_int_equal(page.count, 0);
    assert_true(page.has_more);
}

static void tags_of_no_repository_are_an_error(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct name_query query = {str_from("team/none"), {0}, 10, &fixture->arena};
    struct name_page page = {0};
    struct error err = {0};
    bool is_there = true;

    assert_int_equal(metadata_list_tags(fixture->metadata, &query, &page, &err), ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_NAME);
    assert_int_equal(
        metadata_has_repository(fixture->metadata, str_from("team/none"), &is_there, NULL), OK);
    assert_false(is_there);
}

static void repositories_are_listed_in_pages(void **state)
{
    static const char *const sorted[] = {"a/b", "a/b-c", "a/b/c", "b/a"};
    struct metadata_fixture *fixture = *state;
    struct name_query query = {.limit = 3, .arena = &fixture->arena};
    struct name_page page = {0};
    bool is_there = false;

    for (size_t i = ARRAY_LEN(sorted); i > 0; i--) {
        (void)push_text(fixture, sorted[i - 1], "1", "content");
    }
    assert_int_equal(metadata_list_repositories(fixture->metadata, &query, &page, NULL), OK);
    assert_names(&page, sorted, 3);
    assert_true(page.has_more);
    query.after = page.names[2];
    assert_int_equal(metadata_list_repositories(fixture->metadata, &query, &page, NULL), OK);
    assert_names(&page, sorted + 3, 1);
    assert_false(page.has_more);
    assert_int_equal(metadata_has_repository(fixture->metadata, str_from("a/b/c"), &is_there, NULL),
                     OK);
    assert_true(is_there);
}

static void a_repository_without_tags_has_an_empty_list(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct name_page page;

    (void)push_text(fixture, "team/app", NULL, "content");
    page = list_tags(fixture, "", 10);
    assert_int_equal(page.count, 0);
    assert_false(page.has_more);
}

static void a_list_that_does_not_fit_is_too_large(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct arena small;
    const struct name_query query = {str_from("team/app"), {0}, 1000, &small};
    struct name_page page = {0};

    (void)push_text(fixture, "team/app", "1", "content");
    arena_init(&small, 100);
    assert_int_equal(metadata_list_tags(fixture->metadata, &query, &page, NULL), ERROR_TOO_LARGE);
    assert_int_equal(metadata_list_repositories(fixture->metadata, &query, &page, NULL),
                     ERROR_TOO_LARGE);
    arena_release(&small);
}

static void push_at(struct metadata_fixture *fixture, const char *tag, enum tag_kind kind,
                    int64_t created_ms)
{
    struct manifest_push push = push_of("team/app", tag, tag);

    push.tags[0].kind = kind;
    push.created_ms = created_ms;
    must_push(fixture, &push);
}

static void assert_newest(struct metadata_fixture *fixture, const char *name)
{
    struct tagged_manifest tagged;
    struct tag_record tag;

    assert_int_equal(metadata_find_newest_tag(fixture->metadata, str_from("team/app"),
                                              &fixture->arena, &tag, NULL),
                     OK);
    assert_true(str_is(tag.name, name));
    assert_int_equal(metadata_find_newest_manifest(fixture->metadata, str_from("team/app"),
                                                   &fixture->arena, &tagged, NULL),
                     OK);
    assert_true(digest_equal(&tagged.manifest.digest, &tag.digest));
    assert_int_equal(tagged.kind, tag.kind);
}

static void the_newest_tag_is_by_time_then_sequence(void **state)
{
    struct metadata_fixture *fixture = *state;

    push_at(fixture, "2", TAG_VERSION, 2000);
    push_at(fixture, "1", TAG_VERSION, 1000);
    assert_newest(fixture, "2");
    push_at(fixture, "0", TAG_VERSION, 2000);
    assert_newest(fixture, "0");
    push_at(fixture, "sha256-x", TAG_SIGNATURE, 9000);
    assert_newest(fixture, "0");
    push_at(fixture, "3-SNAPSHOT", TAG_SNAPSHOT, 3000);
    assert_newest(fixture, "3-SNAPSHOT");
}

static void push_runnable(struct metadata_fixture *fixture, struct manifest_push push,
                          int64_t created_ms)
{
    push.facts.is_runnable = true;
    push.created_ms = created_ms;
    must_push(fixture, &push);
}

static void what_can_be_run_is_newer_than_what_cannot(void **state)
{
    struct metadata_fixture *fixture = *state;

    push_at(fixture, "chart", TAG_VERSION, 1000);
    push_at(fixture, "younger-chart", TAG_VERSION, 2000);
    assert_newest(fixture, "younger-chart");
    push_runnable(fixture, push_of("team/app", "1", "1"), 500);
    push_runnable(fixture, push_of("team/app", "2", "2"), 600);
    push_at(fixture, "cache", TAG_VERSION, 9000);
    assert_newest(fixture, "2");
    metadata_fixture_reopen(fixture);
    assert_newest(fixture, "2");
}

/* … and back. */
static void a_tag_that_moves_to_what_cannot_be_run_is_not_the_newest(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct manifest_push image = push_of("team/app", "1-SNAPSHOT", "image");
    struct manifest_push cache = push_of("team/app", "1-SNAPSHOT", "cache");

    image.tags[0].kind = cache.tags[0].kind = TAG_SNAPSHOT;
    cache.tags[0].replaces = &image.manifest.digest;
    cache.created_ms = 2000;
    push_runnable(fixture, push_of("team/app", "1", "1"), 500);
    push_runnable(fixture, image, 1000);
    assert_newest(fixture, "1-SNAPSHOT");
    must_push(fixture, &cache);
    assert_newest(fixture, "1");
    image.tags[0].replaces = &cache.manifest.digest;
    push_runnable(fixture, image, 3000);
    assert_newest(fixture, "1-SNAPSHOT");
}

static void a_manifest_that_can_be_run_is_found_in_its_repository(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct manifest_push image = push_of("team/app", "1", "image");
    const struct digest chart = push_text(fixture, "team/app", "chart", "chart");
    const struct {
        const char *repository;
        const struct digest *digest;
        bool is_runnable;
    } rows[] = {
        {"team/app", &image.manifest.digest, true},
        {"team/app", &chart, false},
        {"team/other", &image.manifest.digest, false},
    };

    push_runnable(fixture, image, 1000);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool is_runnable = !rows[i].is_runnable;

        assert_int_equal(metadata_has_runnable(fixture->metadata, str_from(rows[i].repository),
                                               rows[i].digest, &is_runnable, NULL),
                         OK);
        assert_int_equal(is_runnable, rows[i].is_runnable);
    }
}

static void without_tags_there_is_no_newest(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct tagged_manifest tagged;
    struct tag_record tag;
    struct error err = {0};

    (void)push_text(fixture, "team/app", NULL, "content");
    push_at(fixture, "sha256-x", TAG_SIGNATURE, 9000);
    assert_int_equal(metadata_find_newest_tag(fixture->metadata, str_from("team/app"),
                                              &fixture->arena, &tag, &err),
                     ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_TAG);
    err = (struct error){0};
    assert_int_equal(metadata_find_newest_manifest(fixture->metadata, str_from("team/app"),
                                                   &fixture->arena, &tagged, &err),
                     ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_TAG);
}

/* It is as young as its last move; at the same moment, as the tag itself. */
static void a_tag_that_moves_is_new_again(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct manifest_push moved = push_of("team/app", "1-SNAPSHOT", "moved");
    const struct manifest_push first = push_of("team/app", "1-SNAPSHOT", "1-SNAPSHOT");

    push_at(fixture, "1-SNAPSHOT", TAG_SNAPSHOT, 1000);
    push_at(fixture, "1", TAG_VERSION, 2000);
    assert_newest(fixture, "1");
    moved.tags[0].kind = TAG_SNAPSHOT;
    moved.tags[0].replaces = &first.manifest.digest;
    moved.created_ms = 3000;
    must_push(fixture, &moved);
    assert_newest(fixture, "1-SNAPSHOT");
    push_at(fixture, "2", TAG_VERSION, 3000);
    assert_newest(fixture, "2");
}

static void the_newest_tag_is_of_its_repository(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct tagged_manifest tagged;
    struct tag_record tag;
    struct error err = {0};

    push_at(fixture, "1", TAG_VERSION, 1000);
    assert_int_equal(metadata_find_newest_tag(fixture->metadata, str_from("team/none"),
                                              &fixture->arena, &tag, &err),
                     ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_TAG);
    err = (struct error){0};
    assert_int_equal(metadata_find_newest_manifest(fixture->metadata, str_from("team/none"),
                                                   &fixture->arena, &tagged, &err),
                     ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_TAG);
    (void)push_text(fixture, "team/other", "other", "content");
    assert_newest(fixture, "1");
}

static void every_change_of_a_tag_is_kept(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct manifest_push first = push_of("team/app", "1-SNAPSHOT", "first");
    struct manifest_push second = push_of("team/app", "1-SNAPSHOT", "second");
    const struct tag_history_query query = {str_from("team/app"), str_from("1-SNAPSHOT"), 0, 10,
                                            &fixture->arena};
    struct tag_history history;

    first.tags[0].kind = second.tags[0].kind = TAG_SNAPSHOT;
    second.tags[0].replaces = &first.manifest.digest;
    second.created_ms = 2000;
    second.created_by = (struct actor){str_from("service"), str_from("somebody else")};
    must_push(fixture, &first);
    must_push(fixture, &first);
    must_push(fixture, &second);
    assert_int_equal(metadata_list_tag_changes(fixture->metadata, &query, &history, NULL), OK);
    assert_int_equal(history.count, 2);
    assert_false(history.changes[0].has_old);
    assert_true(digest_equal(&history.changes[0].new_digest, &first.manifest.digest));
    assert_true(history.changes[1].has_old);
    assert_true(digest_equal(&history.changes[1].old_digest, &first.manifest.digest));
    assert_true(digest_equal(&history.changes[1].new_digest, &second.manifest.digest));
    assert_true(str_is(history.changes[0].changed_by.kind, "employee"));
    assert_true(str_is(history.changes[0].changed_by.name, "somebody"));
    assert_true(str_is(history.changes[1].changed_by.kind, "service"));
    assert_true(str_is(history.changes[1].changed_by.name, "somebody else"));
    assert_int_equal(history.changes[1].changed_ms, 2000);
}

static void a_history_is_of_one_tag_and_bounded(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct tag_history_query query = {str_from("team/app"), str_from("1.0"), 0, 10,
                                      &fixture->arena};
    struct tag_history history = {.count = 42};
    const struct digest digest = push_text(fixture, "team/app", "1.0", "content");

    (void)push_text(fixture, "team/app", "1.0.1", "content");
    (void)push_text(fixture, "team/other", "1.0", "another content");
    assert_int_equal(metadata_list_tag_changes(fixture->metadata, &query, &history, NULL), OK);
    assert_int_equal(history.count, 1);
    assert_true(digest_equal(&history.changes[0].new_digest, &digest));
    assert_true(str_is(history.changes[0].changed_by.name, "somebody"));
    assert_int_equal(history.changes[0].changed_ms, 1000);
    query.limit = 0;
    assert_int_equal(metadata_list_tag_changes(fixture->metadata, &query, &history, NULL), OK);
    assert_int_equal(history.count, 0);
    query =
        (struct tag_history_query){str_from("team/app"), str_from("2.0"), 0, 10, &fixture->arena};
    assert_int_equal(metadata_list_tag_changes(fixture->metadata, &query, &history, NULL), OK);
    assert_int_equal(history.count, 0);
    query.repository = str_from("team/none");
    assert_int_equal(metadata_list_tag_changes(fixture->metadata, &query, &history, NULL), OK);
    assert_int_equal(history.count, 0);
}

/* Of a tag that moved on and on, its beginning. */
static void a_history_begins_with_the_oldest_change(void **state)
{
    enum { MOVES = 5 };
    struct metadata_fixture *fixture = *state;
    struct tag_history_query query = {str_from("team/app"), str_from("1-SNAPSHOT"), 0, 3,
                                      &fixture->arena};
    struct digest digests[MOVES];
    struct tag_history history;
    char content[] = "0";

    for (size_t i = 0; i < MOVES; i++) {
        content[0] = (char)('0' + i);
        struct manifest_push push = push_of("team/app", "1-SNAPSHOT", content);

        push.tags[0].kind = TAG_SNAPSHOT;
        push.tags[0].replaces = i > 0 ? &digests[i - 1] : NULL;
        digests[i] = push.manifest.digest;
        /* The clock may go back; what happened first stays first. */
        push.created_ms = 1000 - (int64_t)i;
        must_push(fixture, &push);
    }
    assert_int_equal(metadata_list_tag_changes(fixture->metadata, &query, &history, NULL), OK);
    assert_int_equal(history.count, 3);
    assert_true(history.has_more);
    for (size_t i = 0; i < history.count; i++) {
        assert_true(digest_equal(&history.changes[i].new_digest, &digests[i]));
    }
    query.after_sequence = history.changes[2].sequence;
    assert_int_equal(metadata_list_tag_changes(fixture->metadata, &query, &history, NULL), OK);
    assert_int_equal(history.count, 2);
    assert_false(history.has_more);
    assert_true(digest_equal(&history.changes[0].old_digest, &digests[2]));
    assert_true(digest_equal(&history.changes[1].new_digest, &digests[4]));
}

static void a_history_that_does_not_fit_is_too_large(void **state)
{
    struct metadata_fixture *fixture = *state;
    enum error_code code = ERROR_TOO_LARGE;

    (void)push_text(fixture, "team/app", "1.0", "content");
    for (size_t limit_bytes = 0; code; limit_bytes += 16) {
        struct arena small;
        const struct tag_history_query query = {str_from("team/app"), str_from("1.0"), 0, 1,
                                                &small};
        struct tag_history history = {.count = 42};

        arena_init(&small, limit_bytes);
        code = metadata_list_tag_changes(fixture->metadata, &query, &history, NULL);
        arena_release(&small);
        assert_int_equal(history.count, code ? 42 : 1);
        assert_true(code == OK || code == ERROR_TOO_LARGE);
    }
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, metadata_contract_set_up, metadata_contract_tear_down)

int metadata_contract_run_lists(void)
{
    const struct CMUnitTest metadata_contract_lists[] = {
        TEST(tags_are_listed_by_byte_value_in_pages),
        TEST(tags_of_no_repository_are_an_error),
        TEST(repositories_are_listed_in_pages),
        TEST(a_repository_without_tags_has_an_empty_list),
        TEST(a_list_that_does_not_fit_is_too_large),
        TEST(the_newest_tag_is_by_time_then_sequence),
        TEST(what_can_be_run_is_newer_than_what_cannot),
        TEST(a_tag_that_moves_to_what_cannot_be_run_is_not_the_newest),
        TEST(a_manifest_that_can_be_run_is_found_in_its_repository),
        TEST(without_tags_there_is_no_newest),
        TEST(a_tag_that_moves_is_new_again),
        TEST(the_newest_tag_is_of_its_repository),
        TEST(every_change_of_a_tag_is_kept),
        TEST(a_history_is_of_one_tag_and_bounded),
        TEST(a_history_begins_with_the_oldest_change),
        TEST(a_history_that_does_not_fit_is_too_large),
    };

    return cmocka_run_group_tests(metadata_contract_lists, NULL, NULL);
}
