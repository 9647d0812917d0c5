#include "tests/contract/metadata_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"

enum {
    REFERRERS = 9,
    TYPES = 3,
    PUSHED_MS = 5000,
    ANNOTATION_BYTES = 1 << 20,
    LARGE_ARENA_BYTES = 16 << 20
};

/* By which they are known to each other before they are pushed. */
static struct digest subject(void)
{
    return hasher_digest_of(DIGEST_SHA256, str_from("not pushed yet"));
}

static struct manifest_push referrer_of(const struct digest *to, const char *type,
                                        const char *content)
{
    struct manifest_push push = push_of("team/app", NULL, content);

    push.facts.has_subject = true;
    push.facts.subject = *to;
    push.facts.artifact_type = str_from(type);
    push.facts.annotations = str_from("{\"a\":\"b\"}");
    return push;
}

/* Pushes REFERRERS referrers of the subject, of TYPES types in turn, two at a time. */
static void push_referrers(struct metadata_fixture *fixture)
{
    static const char *const types[TYPES] = {"type/a", "type/b", ""};
    const struct digest to = subject();
    char content[] = "0";

    for (size_t i = 0; i < REFERRERS; i++) {
        content[0] = (char)('0' + i);
        struct manifest_push push = referrer_of(&to, types[i % TYPES], content);

        push.created_ms = PUSHED_MS + (int64_t)i / 2;
        must_push(fixture, &push);
    }
}

static struct referrer_page list(struct metadata_fixture *fixture,
                                 const struct referrer_query *query)
{
    struct referrer_page page = {0};

    assert_int_equal(
        metadata_list_referrers(fixture->metadata, query, &fixture->arena, &page, NULL), OK);
    return page;
}

static struct referrer_query query_of(size_t limit)
{
    return (struct referrer_query){
        .repository = str_from("team/app"), .subject = subject(), .limit = limit};
}

/* The newer, and of the same moment by the text of the digest: no two stand at the same place. */
static bool is_before(const struct referrer *first, const struct referrer *second)
{
    char texts[2][DIGEST_TEXT_BYTES];

    if (first->created_ms != second->created_ms) {
        return first->created_ms > second->created_ms;
    }
    digest_format(&first->manifest.digest, texts[0]);
    digest_format(&second->manifest.digest, texts[1]);
    return strcmp(texts[0], texts[1]) > 0;
}

static struct referrer_place place_of(const struct referrer *referrer)
{
    return (struct referrer_place){referrer->created_ms, referrer->manifest.digest};
}

static void a_referrer_is_listed_as_it_was_pushed(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct digest to = subject();
    const struct manifest_push push = referrer_of(&to, "type/a", "content");
    const struct referrer_query query = query_of(10);
    struct referrer_page page;

    must_push(fixture, &push);
    page = list(fixture, &query);
    assert_int_equal(page.count, 1);
    assert_false(page.has_more);
    assert_true(digest_equal(&page.referrers[0].manifest.digest, &push.manifest.digest));
    assert_true(str_equal(page.referrers[0].manifest.media_type, push.manifest.media_type));
    assert_int_equal(page.referrers[0].manifest.size_bytes, push.manifest.content.length);
    assert_int_equal(page.referrers[0].manifest.content.length, 0);
    assert_true(str_is(page.referrers[0].artifact_type, "type/a"));
    assert_true(str_is(page.referrers[0].annotations, "{\"a\":\"b\"}"));
    assert_int_equal(page.referrers[0].created_ms, push.created_ms);
}

static void the_newest_referrer_comes_first(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct digest to = subject();
    const struct referrer_query query = query_of(100);
    struct manifest_push newest = referrer_of(&to, "type/a", "newest");
    struct referrer_page page;

    newest.manifest.digest = hasher_digest_of(DIGEST_SHA512, newest.manifest.content);
    newest.created_ms = PUSHED_MS + REFERRERS;
    must_push(fixture, &newest);
    push_referrers(fixture);
    page = list(fixture, &query);
    assert_int_equal(page.count, REFERRERS + 1);
    for (size_t i = 1; i < page.count; i++) {
        assert_true(is_before(&page.referrers[i - 1], &page.referrers[i]));
    }
    assert_true(digest_equal(&page.referrers[0].manifest.digest, &newest.manifest.digest));
}

/* Who reads on is not told of them, and misses nothing and sees nothing twice. */
static void referrers_that_come_meanwhile_move_no_page(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct digest to = subject();
    struct referrer_query query = query_of(4);
    struct manifest_push late = referrer_of(&to, "type/a", "late");
    struct referrer_page first;
    struct referrer_page rest;
    struct referrer_place place;

    push_referrers(fixture);
    first = list(fixture, &query);
    late.created_ms = PUSHED_MS + REFERRERS;
    must_push(fixture, &late);
    place = place_of(&first.referrers[first.count - 1]);
    query = query_of(100);
    query.after = &place;
    rest = list(fixture, &query);
    assert_int_equal(first.count + rest.count, REFERRERS);
    assert_true(is_before(&first.referrers[first.count - 1], &rest.referrers[0]));
}

/* Whatever the size of the pages: each once, and the last one says that it is. */
static void pages_of_referrers_make_up_the_whole(void **state)
{
    struct metadata_fixture *fixture = *state;

    push_referrers(fixture);
    for (size_t limit = 1; limit <= REFERRERS + 1; limit++) {
        struct referrer_query query = query_of(limit);
        struct referrer_page page = {.has_more = true};
        struct referrer last = {0};
        struct referrer_place place;
        size_t count = 0;

        while (page.has_more) {
            page = list(fixture, &query);
            assert_true(page.count > 0);
            assert_true(page.count == limit || !page.has_more);
            assert_true(count == 0 || is_before(&last, &page.referrers[0]));
            count += page.count;
            last = page.referrers[page.count - 1];
            place = place_of(&last);
            query.after = &place;
        }
        assert_int_equal(count, REFERRERS);
        assert_int_equal(list(fixture, &query).count, 0);
    }
}

static void a_type_filters_also_behind_the_first_page(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct referrer_query query = query_of(2);
    struct referrer_place place;
    struct referrer_page page;

    push_referrers(fixture);
    query.artifact_type = str_from("type/a");
    page = list(fixture, &query);
    assert_int_equal(page.count, 2);
    assert_true(page.has_more);
    for (size_t i = 0; i < page.count; i++) {
        assert_true(str_is(page.referrers[i].artifact_type, "type/a"));
    }
    place = place_of(&page.referrers[1]);
    query.after = &place;
    page = list(fixture, &query);
    assert_int_equal(page.count, REFERRERS / TYPES - 2);
    assert_false(page.has_more);
    assert_true(str_is(page.referrers[0].artifact_type, "type/a"));
    query = query_of(10);
    query.artifact_type = str_from("type");
    assert_int_equal(list(fixture, &query).count, 0);
}

static void referrers_belong_to_subject_and_repository(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct digest other = hasher_digest_of(DIGEST_SHA256, str_from("another"));
    const struct manifest_push to_other = referrer_of(&other, "type/a", "0");
    struct manifest_push elsewhere = referrer_of(&other, "type/a", "elsewhere");
    struct referrer_query query = query_of(100);

    must_push(fixture, &to_other);
    elsewhere.facts.subject = subject();
    elsewhere.repository = str_from("team/other");
    must_push(fixture, &elsewhere);
    (void)push_text(fixture, "team/app", "1.0", "without subject");
    assert_int_equal(list(fixture, &query).count, 0);
    query.subject = other;
    assert_int_equal(list(fixture, &query).count, 1);
    query.repository = str_from("team/none");
    assert_int_equal(list(fixture, &query).count, 0);
}

/* However few there are: an answer stays within what a request may take. */
static void a_page_ends_early_when_annotations_are_large(void **state)
{
    enum { IN_A_PAGE = REFERRER_PAGE_BYTES / ANNOTATION_BYTES };
    struct metadata_fixture *fixture = *state;
    const struct digest to = subject();
    struct referrer_query query = query_of(100);
    char *annotations = malloc(ANNOTATION_BYTES);
    struct referrer_place place;
    struct referrer_page page;
    struct arena large;
    char content[] = "0";

    memset(annotations, ' ', ANNOTATION_BYTES);
    for (size_t i = 0; i <= IN_A_PAGE; i++) {
        content[0] = (char)('0' + i);
        struct manifest_push push = referrer_of(&to, "type/a", content);

        push.facts.annotations = (struct str){annotations, ANNOTATION_BYTES};
        must_push(fixture, &push);
    }
    arena_init(&large, LARGE_ARENA_BYTES);
    assert_int_equal(metadata_list_referrers(fixture->metadata, &query, &large, &page, NULL), OK);
    assert_int_equal(page.count, IN_A_PAGE);
    assert_true(page.has_more);
    place = place_of(&page.referrers[IN_A_PAGE - 1]);
    query.after = &place;
    assert_int_equal(metadata_list_referrers(fixture->metadata, &query, &large, &page, NULL), OK);
    assert_int_equal(page.count, 1);
    assert_false(page.has_more);
    arena_release(&large);
    free(annotations);
}

static void referrers_that_do_not_fit_are_too_large(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct referrer_query query = query_of(REFERRERS);
    struct referrer_page page = {.count = 42};
    enum error_code code = ERROR_TOO_LARGE;

    push_referrers(fixture);
    for (size_t limit_bytes = 0; code; limit_bytes += 100) {
        struct arena small;

        arena_init(&small, limit_bytes);
        code = metadata_list_referrers(fixture->metadata, &query, &small, &page, NULL);
        arena_release(&small);
        assert_true(code == ERROR_TOO_LARGE || code == OK);
        assert_int_equal(page.count, code ? 42 : REFERRERS);
    }
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, metadata_contract_set_up, metadata_contract_tear_down)

int metadata_contract_run_referrers(void)
{
    const struct CMUnitTest metadata_contract_referrers[] = {
        TEST(a_referrer_is_listed_as_it_was_pushed),
        TEST(the_newest_referrer_comes_first),
        TEST(referrers_that_come_meanwhile_move_no_page),
        TEST(pages_of_referrers_make_up_the_whole),
        TEST(a_type_filters_also_behind_the_first_page),
        TEST(referrers_belong_to_subject_and_repository),
        TEST(a_page_ends_early_when_annotations_are_large),
        TEST(referrers_that_do_not_fit_are_too_large),
    };

    return cmocka_run_group_tests(metadata_contract_referrers, NULL, NULL);
}
