#include "tests/contract/metadata_contract.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hasher.h"
#include "metadata/repositories.h"

enum { ARENA_BYTES = 1 << 20, RACERS = 50, CHILD_PUSHES = 20 };

/* Which driver the tests of this process run on. */
static const struct metadata_driver *used;

void metadata_contract_use(const struct metadata_driver *driver)
{
    used = driver;
}

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

/* Asserts what a push that is refused says, and that the tag stays. */
static void must_be_taken(struct metadata_fixture *fixture, const struct manifest_push *push,
                          const struct digest *by)
{
    enum push_outcome outcome = PUSH_DONE;
    struct digest existing;

    assert_int_equal(metadata_push_manifest(fixture->metadata, push, &outcome, &existing, NULL),
                     OK);
    assert_int_equal(outcome, PUSH_TAG_TAKEN);
    assert_true(digest_equal(&existing, by));
}

static bool has_manifest(struct metadata_fixture *fixture, const char *repository,
                         const struct digest *digest)
{
    bool is_there = false;

    assert_int_equal(
        metadata_has_manifest(fixture->metadata, str_from(repository), digest, &is_there, NULL),
        OK);
    return is_there;
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
    struct tag_record tag;

    assert_int_equal(metadata_find_tag(fixture->metadata, str_from("team/app"), str_from("1.0"),
                                       &fixture->arena, &tag, NULL),
                     OK);
    assert_true(str_is(tag.name, "1.0"));
    assert_true(digest_equal(&tag.digest, &digest));
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
        struct error err = {0};
        struct tag_record tag;

        assert_int_equal(metadata_find_tag(fixture->metadata, str_from(repositories[i]),
                                           str_from("1"), &fixture->arena, &tag, &err),
                         ERROR_NOT_FOUND);
        assert_int_equal(err.topic, ABOUT_TAG);
    }
}

static void the_same_again_is_done_again(void **state)
{
    struct metadata_fixture *fixture = *state;

    (void)push_text(fixture, "team/app", "1.0", "content");
    (void)push_text(fixture, "team/app", "1.0", "content");
    (void)push_text(fixture, "team/app", NULL, "content");
}

static void a_taken_tag_stores_nothing_at_all(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct digest first = push_text(fixture, "team/app", "1.0", "first");
    const struct manifest_push second = push_of("team/app", "1.0", "second");
    struct tag_record tag;

    must_be_taken(fixture, &second, &first);
    assert_false(has_manifest(fixture, "team/app", &second.manifest.digest));
    assert_int_equal(metadata_find_tag(fixture->metadata, str_from("team/app"), str_from("1.0"),
                                       &fixture->arena, &tag, NULL),
                     OK);
    assert_true(digest_equal(&tag.digest, &first));
}

static void a_tag_moves_only_from_where_the_mover_saw_it(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct manifest_push first = push_of("team/app", "1-SNAPSHOT", "first");
    struct manifest_push second = push_of("team/app", "1-SNAPSHOT", "second");
    struct manifest_push third = push_of("team/app", "1-SNAPSHOT", "third");

    first.tag_kind = second.tag_kind = third.tag_kind = TAG_SNAPSHOT;
    must_push(fixture, &first);
    must_be_taken(fixture, &second, &first.manifest.digest);
    second.replaces = &first.manifest.digest;
    must_push(fixture, &second);
    third.replaces = &first.manifest.digest;
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
    struct digest existing;
    struct tag_record tag;

    /* Even if the registry above forgot itself, the database refuses. */
    second.replaces = &first;
    assert_int_not_equal(
        metadata_push_manifest(fixture->metadata, &second, &outcome, &existing, NULL), OK);
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

struct race {
    struct metadata *metadata;
    atomic_int done;
    atomic_int taken;
    struct digest winners[RACERS]; /* as each thread heard */
};

struct racer {
    struct race *race;
    int number;
};

static void *run_racer(void *argument)
{
    const struct racer *racer = argument;
    char content[32];
    struct manifest_push push;
    enum push_outcome outcome = PUSH_TAG_TAKEN;

    (void)snprintf(content, sizeof(content), "manifest %d", racer->number);
    push = push_of("team/race", "1.0", content);
    if (metadata_push_manifest(racer->race->metadata, &push, &outcome,
                               &racer->race->winners[racer->number], NULL) != OK) {
        return NULL;
    }
    if (outcome == PUSH_DONE) {
        racer->race->winners[racer->number] = push.manifest.digest;
    }
    (void)atomic_fetch_add(outcome == PUSH_DONE ? &racer->race->done : &racer->race->taken, 1);
    return NULL;
}

static void of_many_racing_pushes_one_wins(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct race race = {.metadata = fixture->metadata};
    struct racer racers[RACERS];
    pthread_t threads[RACERS];

    for (int i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){&race, i};
        assert_int_equal(pthread_create(&threads[i], NULL, run_racer, &racers[i]), 0);
    }
    for (int i = 0; i < RACERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(atomic_load(&race.done), 1);
    assert_int_equal(atomic_load(&race.taken), RACERS - 1);
    for (int i = 1; i < RACERS; i++) {
        assert_true(digest_equal(&race.winners[i], &race.winners[0]));
    }
}

/* Pushes, telling each that was acknowledged, and ends without closing anything. */
static void push_and_die(struct metadata_fixture *fixture, int told_fd)
{
    struct metadata *metadata = fixture->driver->open();

    for (int i = 0; i < CHILD_PUSHES; i++) {
        char text[16];
        struct manifest_push push;
        enum push_outcome outcome = PUSH_TAG_TAKEN;
        struct digest existing;

        (void)snprintf(text, sizeof(text), "%d", i);
        push = push_of("team/child", text, text);
        if (metadata_push_manifest(metadata, &push, &outcome, &existing, NULL) == OK) {
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
        struct tag_record tag;
        char text[16];

        (void)snprintf(text, sizeof(text), "%d", i);
        assert_int_equal(metadata_find_tag(fixture->metadata, str_from("team/child"),
                                           str_from(text), &fixture->arena, &tag, NULL),
                         OK);
    }
}

static struct manifest_push referrer_of(const struct digest *subject, const char *type,
                                        const char *content)
{
    struct manifest_push push = push_of("team/app", NULL, content);

    push.facts.has_subject = true;
    push.facts.subject = *subject;
    push.facts.artifact_type = str_from(type);
    push.facts.annotations = str_from("{\"a\":\"b\"}");
    return push;
}

static void referrers_are_listed_by_subject_and_type(void **state)
{
    static const char *const types[] = {"type/a", "type/b", "type/a", "type/a"};
    struct metadata_fixture *fixture = *state;
    const struct digest subject = hasher_digest_of(DIGEST_SHA256, str_from("not pushed yet"));
    const struct digest other = hasher_digest_of(DIGEST_SHA256, str_from("another"));
    struct referrer_query query = {
        .repository = str_from("team/app"), .subject = subject, .limit = 2};
    struct referrer_page page;
    char content[8] = "0";

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        content[0] = (char)('0' + i);
        const struct manifest_push push = referrer_of(&subject, types[i], content);

        must_push(fixture, &push);
    }
    const struct manifest_push unrelated = referrer_of(&other, "type/a", "unrelated");

    must_push(fixture, &unrelated);
    assert_int_equal(
        metadata_list_referrers(fixture->metadata, &query, &fixture->arena, &page, NULL), OK);
    assert_int_equal(page.count, 2);
    assert_true(page.has_more);
    assert_true(str_is(page.referrers[0].annotations, "{\"a\":\"b\"}"));
    assert_int_equal(page.referrers[0].manifest.size_bytes, 1);
    query.after = &page.referrers[1].manifest.digest;
    query.artifact_type = str_from("type/a");
    query.limit = 10;
    assert_int_equal(
        metadata_list_referrers(fixture->metadata, &query, &fixture->arena, &page, NULL), OK);
    assert_true(page.count <= 2);
    query.after = NULL;
    assert_int_equal(
        metadata_list_referrers(fixture->metadata, &query, &fixture->arena, &page, NULL), OK);
    assert_int_equal(page.count, 3);
    assert_false(page.has_more);
    for (size_t i = 0; i < page.count; i++) {
        assert_true(str_is(page.referrers[i].artifact_type, "type/a"));
    }
    query.repository = str_from("team/none");
    assert_int_equal(
        metadata_list_referrers(fixture->metadata, &query, &fixture->arena, &page, NULL), OK);
    assert_int_equal(page.count, 0);
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
        TEST(the_same_again_is_done_again),
        TEST(a_taken_tag_stores_nothing_at_all),
        TEST(a_tag_moves_only_from_where_the_mover_saw_it),
        TEST(a_version_never_moves),
        TEST(results_that_do_not_fit_are_too_large),
        TEST(everything_is_there_after_a_restart),
        TEST(of_many_racing_pushes_one_wins),
        TEST(what_was_acknowledged_survives_a_sudden_end),
        TEST(referrers_are_listed_by_subject_and_type),
    };

    metadata_contract_use(driver);
    return cmocka_run_group_tests(metadata_contract, NULL, NULL) +
           metadata_contract_run_lists(driver);
}
