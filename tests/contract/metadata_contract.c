#include "tests/contract/metadata_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/digest.h"
#include "metadata/repositories.h"
#include "tests/support/blob_helper.h"

enum { ARENA_BYTES = 1 << 20, CHILD_PUSHES = 20, LARGE_BYTES = 4 << 20 };

/* Which driver the tests of this process run on. */
static const struct metadata_driver *used;

int metadata_contract_set_up(void **state)
{
    struct metadata_fixture *fixture = calloc(1, sizeof(*fixture));

    fixture->driver = used;
    used->begin();
    fixture->metadata = used->open();
    arena_init(&fixture->arena, ARENA_BYTES);
    *state = fixture;
    return 0;
}

int metadata_contract_tear_down(void **state)
{
    struct metadata_fixture *fixture = *state;

    metadata_free(fixture->metadata);
    arena_release(&fixture->arena);
    used->end();
    free(fixture);
    return 0;
}

static void a_manifest_comes_back_as_it_was_pushed(void **state)
{
    static const char content[] = "{ \"any\" :  \"bytes\"}\n";
    struct metadata_fixture *fixture = *state;
    const struct digest digest = push_text(fixture, "team/app", NULL, content);
    struct manifest_record found;

    assert_int_equal(metadata_find_manifest(fixture->metadata, str_from("team/app"), &digest,
                                            &fixture->arena, &found, NULL),
                     OK);
    assert_true(str_is(found.content, content));
    assert_true(str_is(found.media_type, "application/vnd.oci.image.manifest.v1+json"));
    assert_int_equal(found.size_bytes, sizeof(content) - 1);
    assert_true(digest_equal(&found.digest, &digest));
}

static void a_manifest_belongs_to_the_repository_it_was_pushed_to(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct digest digest = push_text(fixture, "team/app", "1", "content");
    struct manifest_record found;
    struct error err = {0};

    assert_true(has_manifest(fixture, "team/app", &digest));
    assert_false(has_manifest(fixture, "team/other", &digest));
    assert_int_equal(metadata_find_manifest(fixture->metadata, str_from("team/other"), &digest,
                                            &fixture->arena, &found, &err),
                     ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_MANIFEST);
    (void)push_text(fixture, "team/other", "1", "content");
    assert_true(has_manifest(fixture, "team/other", &digest));
}

static void a_tag_names_its_manifest(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct digest digest = push_text(fixture, "team/app", "1.0", "content");
    struct tagged_manifest tagged;
    struct tag_record tag;

    assert_int_equal(metadata_find_tag(fixture->metadata, str_from("team/app"), str_from("1.0"),
                                       &fixture->arena, &tag, NULL),
                     OK);
    assert_true(str_is(tag.name, "1.0"));
    assert_true(digest_equal(&tag.digest, &digest));
    assert_int_equal(metadata_find_tagged_manifest(fixture->metadata, str_from("team/app"),
                                                   str_from("1.0"), &fixture->arena, &tagged, NULL),
                     OK);
    assert_true(digest_equal(&tagged.manifest.digest, &digest));
    assert_true(str_is(tagged.manifest.content, "content"));
    assert_int_equal(tagged.manifest.size_bytes, strlen("content"));
    assert_int_equal(tagged.kind, TAG_VERSION);
    assert_true(str_is(tag.created_by, "somebody"));
    assert_int_equal(tag.created_ms, 1000);
    assert_int_equal(tag.kind, TAG_VERSION);
}

static void an_unknown_tag_is_not_found(void **state)
{
    static const char *const repositories[] = {"team/app", "team/none"};
    struct metadata_fixture *fixture = *state;

    (void)push_text(fixture, "team/app", "1.0", "content");
    for (size_t i = 0; i < ARRAY_LEN(repositories); i++) {
        struct tagged_manifest tagged;
        struct error err = {0};
        struct tag_record tag;

        assert_int_equal(metadata_find_tag(fixture->metadata, str_from(repositories[i]),
                                           str_from("1"), &fixture->arena, &tag, &err),
                         ERROR_NOT_FOUND);
        assert_int_equal(err.topic, ABOUT_TAG);
        err = (struct error){0};
        assert_int_equal(metadata_find_tagged_manifest(fixture->metadata, str_from(repositories[i]),
                                                       str_from("1"), &fixture->arena, &tagged,
                                                       &err),
                         ERROR_NOT_FOUND);
        assert_int_equal(err.topic, ABOUT_TAG);
    }
}

static void the_same_again_is_done_and_changes_nothing(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct manifest_push again = push_of("team/app", "1.0", "content");
    const struct tag_history_query query = {again.repository, again.tags[0].name, 0, 10,
                                            &fixture->arena};
    struct tag_history history;
    struct manifest_record manifest;
    struct tag_record tag;

    must_push(fixture, &again);
    again.created_by = (struct actor){str_from("service"), str_from("somebody else")};
    again.created_ms = 2000;
    again.manifest.media_type = str_from("another/type");
    must_push(fixture, &again);
    again.tag_count = 0;
    must_push(fixture, &again);
    assert_int_equal(metadata_find_tag(fixture->metadata, again.repository, str_from("1.0"),
                                       &fixture->arena, &tag, NULL),
                     OK);
    assert_true(str_is(tag.created_by, "somebody"));
    assert_int_equal(tag.created_ms, 1000);
    assert_int_equal(metadata_find_manifest(fixture->metadata, again.repository,
                                            &again.manifest.digest, &fixture->arena, &manifest,
                                            NULL),
                     OK);
    assert_true(str_is(manifest.media_type, "application/vnd.oci.image.manifest.v1+json"));
    assert_int_equal(metadata_list_tag_changes(fixture->metadata, &query, &history, NULL), OK);
    assert_int_equal(history.count, 1);
}

/* A manifest is JSON to the registry; here it is bytes. */
static void content_may_be_any_bytes(void **state)
{
    static const struct {
        struct str content;
        enum digest_algorithm algorithm;
    } rows[] = {
        {STR_LITERAL(""), DIGEST_SHA256},
        {STR_LITERAL("\0"), DIGEST_SHA256},
        {STR_LITERAL("a\0b\xff\r\n"), DIGEST_SHA256},
        {STR_LITERAL("'; drop table manifest; --"), DIGEST_SHA512},
    };
    struct metadata_fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct manifest_push push = push_of("team/app", NULL, "");
        struct manifest_record found;

        push.manifest.content = rows[i].content;
        push.manifest.digest = hasher_digest_of(rows[i].algorithm, rows[i].content);
        must_push(fixture, &push);
        assert_int_equal(metadata_find_manifest(fixture->metadata, push.repository,
                                                &push.manifest.digest, &fixture->arena, &found,
                                                NULL),
                         OK);
        assert_true(str_equal(found.content, rows[i].content));
        assert_int_equal(found.size_bytes, rows[i].content.length);
    }
}

static void large_content_comes_back_whole(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct manifest_push push = push_of("team/app", "1.0", "");
    char *bytes = test_bytes_new(LARGE_BYTES, 1);
    struct manifest_record found;
    struct arena large;

    arena_init(&large, 2 * (size_t)LARGE_BYTES);
    push.manifest.content = (struct str){bytes, LARGE_BYTES};
    push.manifest.digest = hasher_digest_of(DIGEST_SHA256, push.manifest.content);
    must_push(fixture, &push);
    assert_int_equal(metadata_find_manifest(fixture->metadata, push.repository,
                                            &push.manifest.digest, &large, &found, NULL),
                     OK);
    assert_true(str_equal(found.content, push.manifest.content));
    arena_release(&large);
    free(bytes);
}

static void a_taken_tag_stores_nothing_at_all(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct digest first = push_text(fixture, "team/app", "1.0", "first");
    const struct manifest_push second = push_of("team/app", "1.0", "second");
    const struct tag_history_query query = {second.repository, second.tags[0].name, 0, 10,
                                            &fixture->arena};
    struct tag_history history;
    struct tag_record tag;

    must_be_taken(fixture, &second, &first);
    assert_false(has_manifest(fixture, "team/app", &second.manifest.digest));
    assert_int_equal(metadata_find_tag(fixture->metadata, str_from("team/app"), str_from("1.0"),
                                       &fixture->arena, &tag, NULL),
                     OK);
    assert_true(digest_equal(&tag.digest, &first));
    assert_int_equal(metadata_list_tag_changes(fixture->metadata, &query, &history, NULL), OK);
    assert_int_equal(history.count, 1);
}

static void a_refused_push_takes_nothing_away(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct digest first = push_text(fixture, "team/app", "1.0", "first");
    const struct digest second = push_text(fixture, "team/app", "2.0", "second");
    const struct manifest_push again = push_of("team/app", "1.0", "second");
    struct tag_record tag;

    must_be_taken(fixture, &again, &first);
    assert_true(has_manifest(fixture, "team/app", &second));
    assert_int_equal(metadata_find_tag(fixture->metadata, str_from("team/app"), str_from("2.0"),
                                       &fixture->arena, &tag, NULL),
                     OK);
    assert_true(digest_equal(&tag.digest, &second));
}

static void add_tag(struct manifest_push *push, const char *tag)
{
    push->tags[push->tag_count++] = (struct tag_push){.name = str_from(tag)};
}

static struct digest digest_at(struct metadata_fixture *fixture, const char *tag)
{
    struct tag_record found = {0};

    (void)!metadata_find_tag(fixture->metadata, str_from("team/app"), str_from(tag),
                             &fixture->arena, &found, NULL);
    return found.digest;
}

static size_t changes_of(struct metadata_fixture *fixture, const char *tag)
{
    const struct tag_history_query query = {str_from("team/app"), str_from(tag), 0, 10,
                                            &fixture->arena};
    struct tag_history history;

    assert_int_equal(metadata_list_tag_changes(fixture->metadata, &query, &history, NULL), OK);
    return history.count;
}

/* Those that are there already stay as they are, and so does one that is named twice. */
static void tags_are_added_to_those_that_are_there(void **state)
{
    static const char *const tags[] = {"1", "1.0", "1.0.0"};
    struct metadata_fixture *fixture = *state;
    struct manifest_push push = push_of("team/app", "1", "content");

    must_push(fixture, &push);
    for (size_t i = 1; i < ARRAY_LEN(tags); i++) {
        add_tag(&push, tags[i]);
        add_tag(&push, tags[i]);
        must_push(fixture, &push);
        must_push(fixture, &push);
    }
    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        const struct digest found = digest_at(fixture, tags[i]);

        assert_true(digest_equal(&found, &push.manifest.digest));
        assert_int_equal(changes_of(fixture, tags[i]), 1);
    }
}

static void one_taken_tag_of_several_leaves_all_as_they_were(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct digest old = push_text(fixture, "team/app", "2", "old");
    struct manifest_push push = push_of("team/app", "1", "content");
    enum push_outcome outcome = PUSH_DONE;
    struct tag_found found[PUSH_TAGS_MAX];
    struct name_page page;

    (void)push_text(fixture, "team/app", "4", "content");
    add_tag(&push, "2");
    add_tag(&push, "3");
    add_tag(&push, "4");
    add_tag(&push, "2");
    assert_int_equal(metadata_push_manifest(fixture->metadata, &push, &outcome, found, NULL), OK);
    assert_int_equal(outcome, PUSH_TAG_TAKEN);
    for (size_t i = 0; i < push.tag_count; i++) {
        const bool is_taken = str_is(push.tags[i].name, "2");

        assert_int_equal(found[i].is_taken, is_taken);
        assert_int_equal(found[i].is_there, is_taken || str_is(push.tags[i].name, "4"));
        assert_true(!is_taken || digest_equal(&found[i].digest, &old));
    }
    assert_int_equal(
        metadata_list_tags(fixture->metadata,
                           &(struct name_query){push.repository, {0}, 10, &fixture->arena}, &page,
                           NULL),
        OK);
    assert_int_equal(page.count, 2);
}

static void several_tags_move_together_or_not_at_all(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct manifest_push first = push_of("team/app", "a-SNAPSHOT", "first");
    struct manifest_push second = push_of("team/app", "a-SNAPSHOT", "second");
    enum push_outcome outcome = PUSH_DONE;
    struct tag_found taken[PUSH_TAGS_MAX];
    struct digest found;

    add_tag(&first, "b-SNAPSHOT");
    add_tag(&second, "b-SNAPSHOT");
    for (size_t i = 0; i < first.tag_count; i++) {
        first.tags[i].kind = second.tags[i].kind = TAG_SNAPSHOT;
    }
    must_push(fixture, &first);
    second.tags[0].replaces = &first.manifest.digest;
    second.tags[1].replaces = &second.manifest.digest;
    assert_int_equal(metadata_push_manifest(fixture->metadata, &second, &outcome, taken, NULL), OK);
    assert_int_equal(outcome, PUSH_TAG_TAKEN);
    assert_false(taken[0].is_taken);
    assert_true(taken[1].is_taken);
    found = digest_at(fixture, "a-SNAPSHOT");
    assert_true(digest_equal(&found, &first.manifest.digest));
    second.tags[1].replaces = &first.manifest.digest;
    must_push(fixture, &second);
    for (size_t i = 0; i < second.tag_count; i++) {
        found = digest_at(fixture, i ? "b-SNAPSHOT" : "a-SNAPSHOT");
        assert_true(digest_equal(&found, &second.manifest.digest));
        assert_int_equal(changes_of(fixture, i ? "b-SNAPSHOT" : "a-SNAPSHOT"), 2);
    }
}

/* Nor is one by a name that looks alike. */
static void tags_of_other_repositories_are_not_taken(void **state)
{
    static const char *const repositories[] = {"team/app", "team/app2", "team/app/deeper",
                                               "team2/app"};
    static const char *const tags[] = {"a", "A", "a.", "_a"};
    struct metadata_fixture *fixture = *state;
    char content[] = "0";

    for (size_t i = 0; i < ARRAY_LEN(repositories) * ARRAY_LEN(tags); i++) {
        content[0] = (char)('0' + i);
        (void)push_text(fixture, repositories[i / ARRAY_LEN(tags)], tags[i % ARRAY_LEN(tags)],
                        content);
    }
}

static void a_tag_moves_only_from_where_the_mover_saw_it(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct manifest_push first = push_of("team/app", "1-SNAPSHOT", "first");
    struct manifest_push second = push_of("team/app", "1-SNAPSHOT", "second");
    struct manifest_push third = push_of("team/app", "1-SNAPSHOT", "third");

    first.tags[0].kind = second.tags[0].kind = third.tags[0].kind = TAG_SNAPSHOT;
    must_push(fixture, &first);
    must_be_taken(fixture, &second, &first.manifest.digest);
    second.tags[0].replaces = &first.manifest.digest;
    must_push(fixture, &second);
    third.tags[0].replaces = &first.manifest.digest;
    must_be_taken(fixture, &third, &second.manifest.digest);
    assert_true(has_manifest(fixture, "team/app", &first.manifest.digest));
    assert_true(has_manifest(fixture, "team/app", &second.manifest.digest));
}

static void a_version_never_moves(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct digest first = push_text(fixture, "team/app", "1.0", "first");
    struct manifest_push second = push_of("team/app", "1.0", "second");
    enum push_outcome outcome = PUSH_TAG_TAKEN;
    struct tag_found found;
    struct tag_record tag;

    /* Even if the registry above forgot itself, the database refuses. */
    second.tags[0].replaces = &first;
    assert_int_not_equal(metadata_push_manifest(fixture->metadata, &second, &outcome, &found, NULL),
                         OK);
    assert_int_equal(metadata_find_tag(fixture->metadata, str_from("team/app"), str_from("1.0"),
                                       &fixture->arena, &tag, NULL),
                     OK);
    assert_true(digest_equal(&tag.digest, &first));
}

static void results_that_do_not_fit_are_too_large(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct digest digest = push_text(fixture, "team/app", "1.0", "content");
    struct manifest_record manifest;
    struct tag_record tag;
    struct arena small;

    arena_init(&small, 16);
    assert_int_equal(metadata_find_manifest(fixture->metadata, str_from("team/app"), &digest,
                                            &small, &manifest, NULL),
                     ERROR_TOO_LARGE);
    arena_release(&small);
    assert_int_equal(metadata_find_tag(fixture->metadata, str_from("team/app"), str_from("1.0"),
                                       &small, &tag, NULL),
                     ERROR_TOO_LARGE);
    arena_release(&small);
}

static void everything_is_there_after_a_restart(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct digest digest = push_text(fixture, "team/app", "1.0", "content");
    struct tag_record tag;

    metadata_fixture_reopen(fixture);
    assert_true(has_manifest(fixture, "team/app", &digest));
    assert_int_equal(metadata_find_tag(fixture->metadata, str_from("team/app"), str_from("1.0"),
                                       &fixture->arena, &tag, NULL),
                     OK);
}

/* Pushes, telling each that was acknowledged, and ends without closing anything. */
static void push_and_die(struct metadata_fixture *fixture, int told_fd)
{
    struct metadata *metadata = fixture->driver->open();

    for (int i = 0; i < CHILD_PUSHES; i++) {
        char text[16];
        struct manifest_push push;
        enum push_outcome outcome = PUSH_TAG_TAKEN;
        struct tag_found found;

        (void)snprintf(text, sizeof(text), "%d", i);
        push = push_of("team/child", text, text);
        if (metadata_push_manifest(metadata, &push, &outcome, &found, NULL) == OK) {
            (void)!write(told_fd, ".", 1);
        }
    }
    _exit(0);
}

static void what_was_acknowledged_survives_a_sudden_end(void **state)
{
    struct metadata_fixture *fixture = *state;
    char told[CHILD_PUSHES + 1];
    int ends[2];
    pid_t child = -1;
    int status = 0;

    metadata_free(fixture->metadata);
    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        push_and_die(fixture, ends[1]);
    }
    (void)close(ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(read(ends[0], told, sizeof(told)), CHILD_PUSHES);
    (void)close(ends[0]);
    fixture->metadata = fixture->driver->open();
    for (int i = 0; i < CHILD_PUSHES; i++) {
        struct manifest_record manifest;
        struct tag_record tag;
        char text[16];

        (void)snprintf(text, sizeof(text), "%d", i);
        assert_int_equal(metadata_find_tag(fixture->metadata, str_from("team/child"),
                                           str_from(text), &fixture->arena, &tag, NULL),
                         OK);
        assert_int_equal(metadata_find_manifest(fixture->metadata, str_from("team/child"),
                                                &tag.digest, &fixture->arena, &manifest, NULL),
                         OK);
        assert_true(str_is(manifest.content, text));
    }
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, metadata_contract_set_up, metadata_contract_tear_down)

int metadata_contract_run(const struct metadata_driver *driver)
{
    const struct CMUnitTest metadata_contract[] = {
        TEST(a_manifest_comes_back_as_it_was_pushed),
        TEST(a_manifest_belongs_to_the_repository_it_was_pushed_to),
        TEST(a_tag_names_its_manifest),
        TEST(an_unknown_tag_is_not_found),
        TEST(the_same_again_is_done_and_changes_nothing),
        TEST(content_may_be_any_bytes),
        TEST(large_content_comes_back_whole),
        TEST(a_taken_tag_stores_nothing_at_all),
        TEST(a_refused_push_takes_nothing_away),
        TEST(tags_are_added_to_those_that_are_there),
        TEST(one_taken_tag_of_several_leaves_all_as_they_were),
        TEST(several_tags_move_together_or_not_at_all),
        TEST(tags_of_other_repositories_are_not_taken),
        TEST(a_tag_moves_only_from_where_the_mover_saw_it),
        TEST(a_version_never_moves),
        TEST(results_that_do_not_fit_are_too_large),
        TEST(everything_is_there_after_a_restart),
        TEST(what_was_acknowledged_survives_a_sudden_end),
    };

    used = driver;
    return cmocka_run_group_tests(metadata_contract, NULL, NULL) + metadata_contract_run_lists() +
           metadata_contract_run_referrers() + metadata_contract_run_uploads() +
           metadata_contract_run_races() + metadata_contract_run_token_keys() +
           metadata_contract_run_teams() + metadata_contract_run_sources() +
           metadata_contract_run_blob_places() + metadata_contract_run_companions();
}
