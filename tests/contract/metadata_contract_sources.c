#include "tests/contract/metadata_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/strbuf.h"
#include "metadata/repositories.h"
#include "metadata/sources.h"
#include "metadata/tags.h"

static struct scm_claim claim_of(const char *revision, enum scm_origin origin)
{
    return (struct scm_claim){
        .source = {str_from("git:x"), str_from(revision), str_from("jdoe"), str_from(" M a")},
        .origin = origin,
    };
}

static void push_with(struct metadata_fixture *fixture, const char *tag, const char *content,
                      const struct scm_claim *claim)
{
    struct manifest_push push = push_of("team/app", tag, content);

    push.scm_claim = claim;
    must_push(fixture, &push);
}

static struct tag_place place_of(const char *tag, const char *content)
{
    return (struct tag_place){str_from("team/app"), str_from(tag),
                              hasher_digest_of(DIGEST_SHA256, str_from(content))};
}

/* The revision that counts; empty: nobody says. */
static struct str revision_of(struct metadata_fixture *fixture, const char *tag,
                              const char *content)
{
    const struct tag_place place = place_of(tag, content);
    struct scm_record record = {0};
    struct error err = {0};
    const enum error_code code =
        metadata_find_scm_source(fixture->metadata, &place, &fixture->arena, &record, &err);

    if (code) {
        assert_int_equal(code, ERROR_NOT_FOUND);
        assert_int_equal(err.topic, ABOUT_SOURCE);
    }
    return record.source.revision;
}

static void a_source_is_as_it_was_claimed(void **state)
{
    const struct scm_claim claim = claim_of("1", SCM_OF_LAYER);
    const struct tag_place place = place_of("1.0", "one");
    struct metadata_fixture *fixture = *state;
    struct manifest_push push = push_of("team/app", "1.0", "one");
    struct scm_record record = {0};

    push.scm_claim = &claim;
    push.created_ms = 1234;
    must_push(fixture, &push);
    metadata_fixture_reopen(fixture);
    assert_int_equal(
        metadata_find_scm_source(fixture->metadata, &place, &fixture->arena, &record, NULL), OK);
    assert_true(str_is(record.source.url, "git:x"));
    assert_true(str_is(record.source.revision, "1"));
    assert_true(str_is(record.source.author, "jdoe"));
    assert_true(str_is(record.source.status, " M a"));
    assert_int_equal(record.created_ms, 1234);
}

static void a_source_is_of_one_tag_and_digest(void **state)
{
    const struct scm_claim claim = claim_of("1", SCM_OF_LAYER);
    struct metadata_fixture *fixture = *state;

    push_with(fixture, "1.0", "one", &claim);
    push_with(fixture, "2.0", "one", NULL);
    assert_true(str_is(revision_of(fixture, "1.0", "one"), "1"));
    assert_int_equal(revision_of(fixture, "2.0", "one").length, 0);
    assert_int_equal(revision_of(fixture, "1.0", "other").length, 0);
    assert_int_equal(revision_of(fixture, "3.0", "one").length, 0);
}

static void the_newest_claim_counts(void **state)
{
    const struct scm_claim of_layer = claim_of("layer", SCM_OF_LAYER);
    const struct scm_claim first = claim_of("first", SCM_OF_PUSHER);
    const struct scm_claim second = claim_of("second", SCM_OF_PUSHER);
    struct metadata_fixture *fixture = *state;

    push_with(fixture, "1.0", "one", &of_layer);
    push_with(fixture, "1.0", "one", &first);
    assert_true(str_is(revision_of(fixture, "1.0", "one"), "first"));
    push_with(fixture, "1.0", "one", &second);
    push_with(fixture, "1.0", "one", &second);
    assert_true(str_is(revision_of(fixture, "1.0", "one"), "second"));
}

/* The same layers say the same at each push: that is no news. */
static void layers_overrule_nobody(void **state)
{
    const struct scm_claim of_pusher = claim_of("pusher", SCM_OF_PUSHER);
    const struct scm_claim of_layer = claim_of("layer", SCM_OF_LAYER);
    struct metadata_fixture *fixture = *state;

    push_with(fixture, "1.0", "one", &of_pusher);
    push_with(fixture, "1.0", "one", &of_layer);
    assert_true(str_is(revision_of(fixture, "1.0", "one"), "pusher"));
}

static void a_tag_is_released_once(void **state)
{
    const struct tag_place place = place_of("1.0", "one");
    const struct release_mark first = {
        str_from("INC-1"), {str_from("employee"), str_from("jdoe")}, 77};
    const struct release_mark second = {
        str_from("INC-2"), {str_from("employee"), str_from("other")}, 88};
    struct metadata_fixture *fixture = *state;
    struct tag_detail tag = {0};

    (void)push_text(fixture, "team/app", "1.0", "one");
    assert_int_equal(metadata_find_tag_detail(fixture->metadata, place.repository, place.tag,
                                              &fixture->arena, &tag, NULL),
                     OK);
    assert_false(tag.is_production_ready);
    assert_int_equal(metadata_mark_production_ready(fixture->metadata, &place, &first, NULL), OK);
    assert_int_equal(metadata_mark_production_ready(fixture->metadata, &place, &second, NULL),
                     ERROR_CONFLICT);
    assert_int_equal(metadata_find_tag_detail(fixture->metadata, place.repository, place.tag,
                                              &fixture->arena, &tag, NULL),
                     OK);
    assert_true(tag.is_production_ready);
    assert_true(str_is(tag.incident_id, "INC-1"));
    assert_int_equal(tag.marked_ms, 77);
}

/* A snapshot that has moved is not what was released. */
static void a_release_is_of_a_digest(void **state)
{
    const struct tag_place place = place_of("1-SNAPSHOT", "one");
    const struct release_mark mark = {
        str_from("INC-1"), {str_from("employee"), str_from("jdoe")}, 77};
    struct metadata_fixture *fixture = *state;
    struct manifest_push push = push_of("team/app", "1-SNAPSHOT", "one");
    struct tag_detail tag = {0};

    push.tags[0].kind = TAG_SNAPSHOT;
    must_push(fixture, &push);
    assert_int_equal(metadata_mark_production_ready(fixture->metadata, &place, &mark, NULL), OK);
    push = push_of("team/app", "1-SNAPSHOT", "two");
    push.tags[0].kind = TAG_SNAPSHOT;
    push.tags[0].replaces = &place.digest;
    must_push(fixture, &push);
    assert_int_equal(metadata_find_tag_detail(fixture->metadata, place.repository, place.tag,
                                              &fixture->arena, &tag, NULL),
                     OK);
    assert_false(tag.is_production_ready);
}

static void what_is_not_there_is_not_released(void **state)
{
    const struct release_mark mark = {
        str_from("INC-1"), {str_from("employee"), str_from("jdoe")}, 77};
    struct metadata_fixture *fixture = *state;
    struct tag_place unknown[] = {place_of("none", "one"), place_of("1.0", "one"),
                                  place_of("1.0", "other"), place_of("1-SNAPSHOT", "one")};
    struct manifest_push push = push_of("team/app", "1-SNAPSHOT", "one");

    (void)push_text(fixture, "team/app", "1.0", "one");
    push.tags[0].kind = TAG_SNAPSHOT;
    must_push(fixture, &push);
    push = push_of("team/app", "1-SNAPSHOT", "two");
    push.tags[0].kind = TAG_SNAPSHOT;
    push.tags[0].replaces = &unknown[3].digest;
    must_push(fixture, &push); /* it was seen at the first, and has moved */
    unknown[1].repository = str_from("team/none");
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
        struct error err = {0};

        assert_int_equal(
            metadata_mark_production_ready(fixture->metadata, &unknown[i], &mark, &err),
            ERROR_NOT_FOUND);
        assert_int_equal(err.topic, ABOUT_TAG);
    }
}

static void platforms_are_kept(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct manifest_push push = push_of("team/app", "1.0", "one");
    struct tag_detail tag = {0};

    push.facts.platforms = str_from("linux/amd64\nlinux/arm64/v8\n");
    must_push(fixture, &push);
    assert_int_equal(metadata_find_tag_detail(fixture->metadata, push.repository, push.tags[0].name,
                                              &fixture->arena, &tag, NULL),
                     OK);
    assert_true(str_is(tag.platforms, "linux/amd64\nlinux/arm64/v8\n"));
}

/* Lists "repository:tag " for each; the code if it fails. */
static enum error_code list_image(struct metadata_fixture *fixture, const char *prefix,
                                  struct strbuf *text)
{
    const struct image_query query = {
        .prefix = str_from(prefix), .limit = 3, .arena = &fixture->arena};
    struct image_tag_list list = {0};
    struct error err = {0};
    const enum error_code code = metadata_list_image_tags(fixture->metadata, &query, &list, &err);

    strbuf_clear(text);
    for (size_t i = 0; i < list.count; i++) {
        strbuf_append_format(text, "%.*s:%.*s ", STR_FORMAT(list.tags[i].repository),
                             STR_FORMAT(list.tags[i].name));
    }
    assert_int_equal(err.topic, code ? ABOUT_IMAGE : ABOUT_NOTHING);
    return code;
}

static void push_image(struct metadata_fixture *fixture, const char *repository, const char *tag,
                       const char *config)
{
    struct manifest_push push = push_of(repository, tag, config);
    struct error err = {0};

    push.facts.has_config = true;
    assert_int_equal(digest_parse(str_from(config), &push.facts.config, &err), OK);
    must_push(fixture, &push);
}

#define ID(digit) "sha256:" digit "000000000000000000000000000000000000000000000000000000000000000"

static void images_are_found_by_a_part_of_their_id(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct strbuf text;

    strbuf_init(&text, 1000);
    push_image(fixture, "b/app", "1.0", ID("a"));
    push_image(fixture, "b/app", "0.9", ID("a"));
    push_image(fixture, "a/app", "1.0", ID("a"));
    push_image(fixture, "a/app", "2.0", ID("b"));
    assert_int_equal(list_image(fixture, ID("a"), &text), OK);
    assert_string_equal(text.text, "a/app:1.0 b/app:1.0 b/app:0.9 ");
    assert_int_equal(list_image(fixture, "sha256:a", &text), OK);
    assert_int_equal(list_image(fixture, "sha256:b", &text), OK);
    assert_string_equal(text.text, "a/app:2.0 ");
    assert_int_equal(list_image(fixture, "sha256:", &text), ERROR_CONFLICT);
    assert_int_equal(list_image(fixture, "sha256:c", &text), ERROR_NOT_FOUND);
    assert_int_equal(list_image(fixture, "sha256:a1", &text), ERROR_NOT_FOUND);
    strbuf_release(&text);
}

static void an_images_tags_come_in_pages(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct image_query query = {.prefix = str_from(ID("a")), .limit = 1, .arena = &fixture->arena};
    struct image_tag_list list = {.has_more = true};
    struct strbuf text;

    strbuf_init(&text, 1000);
    push_image(fixture, "b/app", "1.0", ID("a"));
    push_image(fixture, "b/app", "0.9", ID("a"));
    push_image(fixture, "a/app", "1.0", ID("a"));
    while (list.has_more) {
        assert_int_equal(metadata_list_image_tags(fixture->metadata, &query, &list, NULL), OK);
        assert_int_equal(list.count, 1);
        strbuf_append_format(&text, "%.*s:%.*s ", STR_FORMAT(list.tags[0].repository),
                             STR_FORMAT(list.tags[0].name));
        query.after_repository = list.tags[0].repository;
        query.after_sequence = list.tags[0].sequence;
    }
    assert_string_equal(text.text, "a/app:1.0 b/app:1.0 b/app:0.9 ");
    assert_int_equal(metadata_list_image_tags(fixture->metadata, &query, &list, NULL), OK);
    assert_int_equal(list.count, 0);
    strbuf_release(&text);
}

static void an_image_without_a_config_is_its_own(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct digest digest = push_text(fixture, "a/app", "1.0", "an index");
    char id[DIGEST_TEXT_BYTES];
    struct strbuf text;

    strbuf_init(&text, 1000);
    digest_format(&digest, id);
    assert_int_equal(list_image(fixture, id, &text), OK);
    assert_string_equal(text.text, "a/app:1.0 ");
    strbuf_release(&text);
}

static void teams_are_counted_once(void **state)
{
    static const char *const repositories[] = {"b/x",     "acme/a", "acme/b/c", "acme-x/a",
                                               "acme0/a", "acme/z", "acme.y/a", "a/a"};
    struct metadata_fixture *fixture = *state;
    struct registry_statistics all = {9, 9};
    struct team_statistics of_team = {9, 9};

    assert_int_equal(metadata_count_all(fixture->metadata, &all, NULL), OK);
    assert_int_equal(all.teams, 0);
    assert_int_equal(all.storage_bytes, 0);
    for (size_t i = 0; i < ARRAY_LEN(repositories); i++) {
        (void)push_text(fixture, repositories[i], "1", "content");
        (void)push_text(fixture, repositories[i], "2", "content");
    }
    assert_int_equal(metadata_count_all(fixture->metadata, &all, NULL), OK);
    assert_int_equal(all.teams, 6);
    assert_int_equal(all.storage_bytes, strlen("content"));
    assert_int_equal(metadata_count_team(fixture->metadata, str_from("acme"), &of_team, NULL), OK);
    assert_int_equal(of_team.artifacts, 3);
    assert_int_equal(of_team.tags, 6);
    assert_int_equal(metadata_count_team(fixture->metadata, str_from("acm"), &of_team, NULL), OK);
    assert_int_equal(of_team.artifacts, 0);
    assert_int_equal(of_team.tags, 0);
}

static void blobs_are_counted_once(void **state)
{
    const struct named_blob blobs[] = {{hasher_digest_of(DIGEST_SHA256, str_from("x")), 1000, true},
                                       {hasher_digest_of(DIGEST_SHA256, str_from("y")), 20, true}};
    struct metadata_fixture *fixture = *state;
    struct manifest_push push = push_of("team/app", "1", "12345");
    struct registry_statistics all = {0};

    push.blobs = blobs;
    push.blob_count = 2;
    must_push(fixture, &push);
    push = push_of("other/app", "1", "1234567");
    push.blobs = blobs;
    push.blob_count = 1;
    must_push(fixture, &push);
    assert_int_equal(metadata_count_all(fixture->metadata, &all, NULL), OK);
    assert_int_equal(all.storage_bytes, 1000 + 20 + 5 + 7);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, metadata_contract_set_up, metadata_contract_tear_down)

int metadata_contract_run_sources(void)
{
    const struct CMUnitTest metadata_contract_sources[] = {
        TEST(a_source_is_as_it_was_claimed),
        TEST(a_source_is_of_one_tag_and_digest),
        TEST(the_newest_claim_counts),
        TEST(layers_overrule_nobody),
        TEST(a_tag_is_released_once),
        TEST(a_release_is_of_a_digest),
        TEST(what_is_not_there_is_not_released),
        TEST(platforms_are_kept),
        TEST(images_are_found_by_a_part_of_their_id),
        TEST(an_images_tags_come_in_pages),
        TEST(an_image_without_a_config_is_its_own),
        TEST(teams_are_counted_once),
        TEST(blobs_are_counted_once),
    };

    return cmocka_run_group_tests(metadata_contract_sources, NULL, NULL);
}
