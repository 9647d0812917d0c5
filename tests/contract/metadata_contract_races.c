#include "tests/contract/metadata_contract.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "metadata/repositories.h"

enum { RACERS = 50, TEXT_BYTES = 32 };

/* One of many who push at the same moment. */
struct racer {
    pthread_t thread;
    pthread_barrier_t *start;
    struct metadata *metadata;
    char tag[TEXT_BYTES];
    char content[TEXT_BYTES];
    struct manifest_push push;
    enum error_code code;
    enum push_outcome outcome;
    struct tag_found found[PUSH_TAGS_MAX];
};

static void *run_racer(void *argument)
{
    struct racer *racer = argument;

    (void)pthread_barrier_wait(racer->start);
    racer->code =
        metadata_push_manifest(racer->metadata, &racer->push, &racer->outcome, racer->found, NULL);
    return NULL;
}

/* Everybody pushes to the tag, a manifest of his own. */
static void prepare(struct metadata_fixture *fixture, struct racer *racers, const char *tag)
{
    for (int i = 0; i < RACERS; i++) {
        struct racer *racer = &racers[i];

        *racer = (struct racer){.metadata = fixture->metadata};
        (void)snprintf(racer->tag, TEXT_BYTES, "%s", tag);
        (void)snprintf(racer->content, TEXT_BYTES, "manifest %d", i);
        racer->push = push_of("team/race", racer->tag, racer->content);
    }
}

static void run(struct racer *racers)
{
    pthread_barrier_t start;

    assert_int_equal(pthread_barrier_init(&start, NULL, RACERS), 0);
    for (int i = 0; i < RACERS; i++) {
        racers[i].start = &start;
        assert_int_equal(pthread_create(&racers[i].thread, NULL, run_racer, &racers[i]), 0);
    }
    for (int i = 0; i < RACERS; i++) {
        assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
        assert_int_equal(racers[i].code, OK);
    }
    (void)pthread_barrier_destroy(&start);
}

static int count_done(const struct racer *racers)
{
    int count = 0;

    for (int i = 0; i < RACERS; i++) {
        count += racers[i].outcome == PUSH_DONE;
    }
    return count;
}

static struct digest find_tag(struct metadata_fixture *fixture, const char *tag)
{
    struct tag_record found;

    assert_int_equal(metadata_find_tag(fixture->metadata, str_from("team/race"), str_from(tag),
                                       &fixture->arena, &found, NULL),
                     OK);
    return found.digest;
}

static struct tag_history history_of(struct metadata_fixture *fixture, const char *tag)
{
    const struct tag_history_query query = {str_from("team/race"), str_from(tag), 0, RACERS,
                                            &fixture->arena};
    struct tag_history history = {0};

    assert_int_equal(metadata_list_tag_changes(fixture->metadata, &query, &history, NULL), OK);
    return history;
}

/* The losers hear who won, and leave nothing. */
static void assert_one_won(struct metadata_fixture *fixture, const struct racer *racers,
                           const char *tag)
{
    const struct digest winner = find_tag(fixture, tag);

    assert_int_equal(count_done(racers), 1);
    for (int i = 0; i < RACERS; i++) {
        const struct digest *pushed = &racers[i].push.manifest.digest;
        const bool has_won = racers[i].outcome == PUSH_DONE;

        assert_int_equal(digest_equal(pushed, &winner), has_won);
        assert_int_equal(has_manifest(fixture, "team/race", pushed), has_won);
        assert_true(has_won || digest_equal(&racers[i].found[0].digest, &winner));
    }
}

static void of_many_racing_pushes_one_wins(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct racer racers[RACERS];

    prepare(fixture, racers, "1.0");
    run(racers);
    assert_one_won(fixture, racers, "1.0");
    assert_int_equal(history_of(fixture, "1.0").count, 1);
}

/* Of sets that overlap, in whatever order, nobody gets a part. */
static void of_many_racing_pushes_of_several_tags_one_wins_all(void **state)
{
    static const char *const tags[] = {"1", "1.0", "1.0.0", "1.0.0-alpine"};
    struct metadata_fixture *fixture = *state;
    struct racer racers[RACERS];

    prepare(fixture, racers, "");
    for (size_t i = 0; i < RACERS; i++) {
        racers[i].push.tag_count = ARRAY_LEN(tags);
        for (size_t j = 0; j < ARRAY_LEN(tags); j++) {
            racers[i].push.tags[(i + j) % ARRAY_LEN(tags)].name = str_from(tags[j]);
        }
    }
    run(racers);
    for (size_t j = 0; j < ARRAY_LEN(tags); j++) {
        assert_one_won(fixture, racers, tags[j]);
        assert_int_equal(history_of(fixture, tags[j]).count, 1);
    }
}

static void of_many_who_move_a_tag_from_the_same_place_one_wins(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct manifest_push first = push_of("team/race", "1-SNAPSHOT", "first");
    struct racer racers[RACERS];
    struct tag_history history;

    first.tags[0].kind = TAG_SNAPSHOT;
    must_push(fixture, &first);
    prepare(fixture, racers, "1-SNAPSHOT");
    for (int i = 0; i < RACERS; i++) {
        racers[i].push.tags[0].kind = TAG_SNAPSHOT;
        racers[i].push.tags[0].replaces = &first.manifest.digest;
    }
    run(racers);
    assert_one_won(fixture, racers, "1-SNAPSHOT");
    history = history_of(fixture, "1-SNAPSHOT");
    assert_int_equal(history.count, 2);
    assert_true(digest_equal(&history.changes[1].old_digest, &first.manifest.digest));
    assert_true(has_manifest(fixture, "team/race", &first.manifest.digest));
}

static void all_who_push_the_same_are_done(void **state)
{
    struct metadata_fixture *fixture = *state;
    struct racer racers[RACERS];

    prepare(fixture, racers, "1.0");
    for (int i = 0; i < RACERS; i++) {
        racers[i].push.manifest = racers[0].push.manifest;
    }
    run(racers);
    assert_int_equal(count_done(racers), RACERS);
    assert_int_equal(history_of(fixture, "1.0").count, 1);
}

/* They meet in the repository and in the content, which are new to all of them. */
static void pushes_of_different_tags_do_not_hinder_each_other(void **state)
{
    struct metadata_fixture *fixture = *state;
    const struct name_query query = {.limit = RACERS, .arena = &fixture->arena};
    struct racer racers[RACERS];
    struct name_page page;

    prepare(fixture, racers, "");
    for (int i = RACERS - 1; i >= 0; i--) {
        (void)snprintf(racers[i].tag, TEXT_BYTES, "%d", i);
        racers[i].push.tags[0].name = str_from(racers[i].tag);
        racers[i].push.manifest = racers[i / 2].push.manifest;
    }
    run(racers);
    assert_int_equal(count_done(racers), RACERS);
    for (int i = 0; i < RACERS; i++) {
        const struct digest found = find_tag(fixture, racers[i].tag);

        assert_true(digest_equal(&found, &racers[i].push.manifest.digest));
    }
    assert_int_equal(metadata_list_repositories(fixture->metadata, &query, &page, NULL), OK);
    assert_int_equal(page.count, 1);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, metadata_contract_set_up, metadata_contract_tear_down)

int metadata_contract_run_races(void)
{
    const struct CMUnitTest metadata_contract_races[] = {
        TEST(of_many_racing_pushes_one_wins),
        TEST(of_many_racing_pushes_of_several_tags_one_wins_all),
        TEST(of_many_who_move_a_tag_from_the_same_place_one_wins),
        TEST(all_who_push_the_same_are_done),
        TEST(pushes_of_different_tags_do_not_hinder_each_other),
    };

    return cmocka_run_group_tests(metadata_contract_races, NULL, NULL);
}
