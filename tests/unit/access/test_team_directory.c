#include "access/team_directory.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "auth/login_limiter.h"
#include "tests/support/fake_clock.h"

enum { SOURCES = 3, CACHE_MS = 60 * 1000, CACHE_ENTRIES = 64, THREADS = 8 };

/* Says what it is told to say, and counts. */
struct oracle {
    struct team_source source; /* first */
    bool covers[IDENTITY_INSTANCE + 1];
    enum error_code answer;
    const char *message;
    atomic_int questions;
    atomic_bool is_held; /* does not answer yet */
};

static bool covers(const struct team_source *source, const struct identity *identity)
{
    return ((const struct oracle *)source)->covers[identity->kind];
}

static enum error_code is_member(struct team_source *source, const struct team_question *question,
                                 struct error *err)
{
    struct oracle *oracle = (struct oracle *)source;

    assert_true(question->team.length > 0);
    (void)atomic_fetch_add(&oracle->questions, 1);
    while (atomic_load(&oracle->is_held)) {
        (void)sched_yield();
    }
    return oracle->answer ? error_set(err, oracle->answer, "%s", oracle->message) : OK;
}

static const struct team_source_driver driver = {
    .name = "oracle", .covers = covers, .is_member = is_member};

/* The same for one that lists all teams: its message is the list, one a line, if the answer is OK.
 */
static enum error_code list(struct team_source *source, const struct team_question *question,
                            struct strbuf *teams, struct error *err)
{
    struct oracle *oracle = (struct oracle *)source;
    struct str rest = str_from(oracle->message);
    struct str team;

    (void)question;
    (void)atomic_fetch_add(&oracle->questions, 1);
    while (!oracle->answer && str_cut(&rest, '\n', &team)) {
        team_list_append(teams, team);
    }
    return oracle->answer ? error_set(err, oracle->answer, "%s", oracle->message) : OK;
}

static const struct team_source_driver list_driver = {
    .name = "lister", .covers = covers, .list = list};

/* A directory that asks up to three; the first covers employees, the others nobody yet. */
struct world {
    struct oracle oracles[SOURCES];
    struct team_source *sources[SOURCES];
    struct fake_clock clock;
    struct team_directory *directory;
    struct identity identity;
    struct error err;
    bool waits;
};

static void setup_with(struct world *world, size_t entries)
{
    static const char *const messages[SOURCES] = {"one says no", "two says no", "three says no"};

    *world = (struct world){
        .identity = {.kind = IDENTITY_EMPLOYEE, .name = STR_LITERAL("jdoe")},
    };
    for (size_t i = 0; i < SOURCES; i++) {
        world->oracles[i].source.driver = &driver;
        world->oracles[i].answer = ERROR_DENIED;
        world->oracles[i].message = messages[i];
        world->sources[i] = &world->oracles[i].source;
    }
    world->oracles[0].covers[IDENTITY_EMPLOYEE] = true;
    fake_clock_init(&world->clock);
    world->directory = team_directory_new(&(struct team_directory_config){
        .sources = world->sources,
        .source_count = SOURCES,
        .cache_entries = entries,
        .cache_ms = CACHE_MS,
        .clock = &world->clock.clock,
    });
}

static void setup(struct world *world)
{
    setup_with(world, CACHE_ENTRIES);
}

static enum error_code ask_of(struct world *world, const char *team, const char *token,
                              bool may_ask)
{
    const struct team_question question = {&world->identity, token, str_from(team)};

    world->waits = false;
    world->err = (struct error){0};
    return team_directory_is_member(world->directory, &question, may_ask, &world->waits,
                                    &world->err);
}

static enum error_code ask(struct world *world)
{
    return ask_of(world, "acme", "token", true);
}

static int questions(struct world *world)
{
    int count = 0;

    for (size_t i = 0; i < SOURCES; i++) {
        count += atomic_load(&world->oracles[i].questions);
    }
    return count;
}

/* Of three answers: any yes is yes; else who could not be asked counts; else it is a no. */
static void yes_beats_unavailable_beats_no(void **state)
{
    static const enum error_code answers[] = {OK, ERROR_DENIED, ERROR_UNAVAILABLE, ERROR_INTERNAL};
    enum { COUNT = ARRAY_LEN(answers) };

    (void)state;
    for (size_t i = 0; i < COUNT * COUNT * COUNT; i++) {
        const enum error_code said[SOURCES] = {answers[i % COUNT], answers[i / COUNT % COUNT],
                                               answers[i / COUNT / COUNT]};
        enum error_code expected = ERROR_DENIED;
        struct world world;

        setup(&world);
        for (size_t k = 0; k < SOURCES; k++) {
            world.oracles[k].covers[IDENTITY_EMPLOYEE] = true;
            world.oracles[k].answer = said[k];
            if (said[k] != ERROR_DENIED && said[k] != OK && expected != OK) {
                expected = ERROR_UNAVAILABLE;
            }
            expected = said[k] == OK ? OK : expected;
        }
        assert_int_equal(ask(&world), expected);
        assert_int_equal(world.err.message[0] == '\0', expected == OK);
        team_directory_free(world.directory);
    }
}

static void all_who_said_no_are_named(void **state)
{
    struct world world;

    (void)state;
    setup(&world);
    world.oracles[1].covers[IDENTITY_EMPLOYEE] = true;
    world.oracles[2].covers[IDENTITY_EMPLOYEE] = true;
    assert_int_equal(ask(&world), ERROR_DENIED);
    assert_string_equal(world.err.message, "one says no; two says no; three says no");
    team_directory_free(world.directory);
}

static void long_refusals_are_bounded(void **state)
{
    char message[ERROR_MESSAGE_BYTES];
    struct world world;

    (void)state;
    setup(&world);
    memset(message, 'm', sizeof(message) - 1);
    message[sizeof(message) - 1] = '\0';
    for (size_t i = 0; i < SOURCES; i++) {
        world.oracles[i].covers[IDENTITY_EMPLOYEE] = true;
        world.oracles[i].message = message;
    }
    assert_int_equal(ask(&world), ERROR_DENIED);
    assert_string_equal(world.err.message, message);
    team_directory_free(world.directory);
}

static void first_who_cannot_be_asked_is_named(void **state)
{
    struct world world;

    (void)state;
    setup(&world);
    world.oracles[0].answer = ERROR_UNAVAILABLE;
    world.oracles[0].message = "one is down";
    world.oracles[1].covers[IDENTITY_EMPLOYEE] = true;
    assert_int_equal(ask(&world), ERROR_UNAVAILABLE);
    assert_string_equal(world.err.message, "one is down");
    team_directory_free(world.directory);
}

static void only_those_are_asked_who_know_the_kind(void **state)
{
    struct world world;

    (void)state;
    setup(&world);
    world.oracles[1].covers[IDENTITY_SERVICE] = true;
    world.oracles[1].answer = OK;
    assert_int_equal(ask(&world), ERROR_DENIED);
    assert_int_equal(atomic_load(&world.oracles[1].questions), 0);
    world.identity.kind = IDENTITY_SERVICE;
    assert_int_equal(ask(&world), OK);
    assert_int_equal(atomic_load(&world.oracles[0].questions), 1);
    team_directory_free(world.directory);
}

static void nobody_to_ask_is_a_no(void **state)
{
    struct world world;

    (void)state;
    setup(&world);
    world.oracles[0].covers[IDENTITY_EMPLOYEE] = false;
    assert_int_equal(ask(&world), ERROR_DENIED);
    assert_string_equal(world.err.message, "the login names no team. Ask to be added to that team");
    world.identity.kind = IDENTITY_SERVICE;
    world.identity.teams = str_from("other\n");
    assert_int_equal(ask(&world), ERROR_DENIED);
    assert_string_equal(world.err.message,
                        "the login names other teams. Ask to be added to that team");
    assert_int_equal(questions(&world), 0);
    team_directory_free(world.directory);
}

/* Each answer counts for its time, and not a millisecond longer. */
static void answers_count_for_their_time(void **state)
{
    static const struct {
        enum error_code code;
        int64_t lifetime_ms;
    } rows[] = {
        {OK, CACHE_MS},
        {ERROR_DENIED, 5000},
        {ERROR_UNAVAILABLE, 2000},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct world world;

        setup(&world);
        world.oracles[0].answer = rows[i].code;
        assert_int_equal(ask(&world), rows[i].code);
        world.oracles[0].answer = rows[i].code == OK ? ERROR_DENIED : OK;
        fake_clock_advance(&world.clock, rows[i].lifetime_ms - 1);
        assert_int_equal(ask(&world), rows[i].code);
        assert_int_equal(ask_of(&world, "acme", "token", false), rows[i].code);
        assert_int_equal(questions(&world), 1);
        fake_clock_advance(&world.clock, 1);
        assert_int_equal(ask(&world), rows[i].code == OK ? ERROR_DENIED : OK);
        assert_int_equal(questions(&world), 2);
        team_directory_free(world.directory);
    }
}

static void cached_refusal_keeps_its_reason(void **state)
{
    struct world world;

    (void)state;
    setup(&world);
    assert_int_equal(ask(&world), ERROR_DENIED);
    assert_int_equal(ask_of(&world, "acme", "token", false), ERROR_DENIED);
    assert_string_equal(world.err.message, "one says no");
    assert_false(world.waits);
    team_directory_free(world.directory);
}

static void what_is_not_cached_is_not_known_without_waiting(void **state)
{
    struct world world;

    (void)state;
    setup(&world);
    world.oracles[0].answer = OK;
    assert_int_equal(ask_of(&world, "acme", "token", false), ERROR_UNAVAILABLE);
    assert_true(world.waits);
    assert_int_equal(questions(&world), 0);
    assert_int_equal(ask(&world), OK);
    assert_int_equal(ask_of(&world, "acme", "token", false), OK);
    assert_false(world.waits);
    assert_int_equal(questions(&world), 1);
    team_directory_free(world.directory);
}

/* A yes for one must not be taken for a yes for another. */
static void answer_counts_for_one_name_kind_and_team(void **state)
{
    struct world world;

    (void)state;
    setup(&world);
    world.oracles[0].answer = OK;
    world.oracles[0].covers[IDENTITY_SERVICE] = true;
    assert_int_equal(ask(&world), OK);
    world.oracles[0].answer = ERROR_DENIED;
    assert_int_equal(ask_of(&world, "acm", "token", true), ERROR_DENIED);
    assert_int_equal(ask_of(&world, "acmee", "token", true), ERROR_DENIED);
    world.identity.name = str_from("jdoea");
    assert_int_equal(ask_of(&world, "cme", "token", true), ERROR_DENIED);
    assert_int_equal(ask(&world), ERROR_DENIED);
    world.identity.name = str_from("jdoe");
    world.identity.kind = IDENTITY_SERVICE;
    assert_int_equal(ask(&world), ERROR_DENIED);
    world.identity.kind = IDENTITY_EMPLOYEE;
    assert_int_equal(ask(&world), OK);
    team_directory_free(world.directory);
}

static void what_one_token_may_says_nothing_of_another(void **state)
{
    struct world world;

    (void)state;
    setup(&world);
    assert_int_equal(ask_of(&world, "acme", NULL, true), ERROR_DENIED);
    world.oracles[0].answer = OK;
    assert_int_equal(ask_of(&world, "acme", "token", true), OK);
    assert_int_equal(ask_of(&world, "acme", "token", true), OK);
    assert_int_equal(questions(&world), 2);
    world.oracles[0].answer = ERROR_DENIED;
    assert_int_equal(ask_of(&world, "acme", "weaker", true), ERROR_DENIED);
    assert_int_equal(ask_of(&world, "acme", "token", true), OK);
    assert_int_equal(questions(&world), 3);
    team_directory_free(world.directory);
}

static void cache_is_bounded(void **state)
{
    enum { ENTRIES = 8, TEAMS = 100 };
    struct world world;
    int known = 0;

    (void)state;
    setup_with(&world, ENTRIES);
    world.oracles[0].answer = OK;
    for (int i = 0; i < TEAMS; i++) {
        const char team[] = {'a', (char)('0' + i / 10), (char)('0' + i % 10), '\0'};

        assert_int_equal(ask_of(&world, team, "token", true), OK);
    }
    for (int i = 0; i < TEAMS; i++) {
        const char team[] = {'a', (char)('0' + i / 10), (char)('0' + i % 10), '\0'};

        known += ask_of(&world, team, "token", false) == OK;
    }
    assert_true(known > 0);
    assert_true(known <= ENTRIES);
    team_directory_free(world.directory);
}

struct asker {
    pthread_t thread;
    struct world *world;
    atomic_int *started;
    enum error_code code;
};

static void *ask_in_thread(void *context)
{
    struct asker *asker = context;
    const struct team_question question = {&asker->world->identity, "token", str_from("acme")};
    bool waits = false;

    (void)atomic_fetch_add(asker->started, 1);
    asker->code = team_directory_is_member(asker->world->directory, &question, true, &waits, NULL);
    return NULL;
}

static void those_who_ask_at_the_same_time_cause_one_question(void **state)
{
    struct asker askers[THREADS];
    atomic_int started = 0;
    struct world world;

    (void)state;
    setup(&world);
    world.oracles[0].answer = OK;
    atomic_store(&world.oracles[0].is_held, true);
    for (size_t i = 0; i < THREADS; i++) {
        askers[i] = (struct asker){.world = &world, .started = &started, .code = ERROR_INTERNAL};
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask_in_thread, &askers[i]), 0);
    }
    while (atomic_load(&started) < THREADS || questions(&world) == 0) {
        (void)sched_yield();
    }
    atomic_store(&world.oracles[0].is_held, false);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(askers[i].thread, NULL), 0);
        assert_int_equal(askers[i].code, OK);
    }
    assert_int_equal(questions(&world), 1);
    team_directory_free(world.directory);
}

/* The first of them lists these teams. */
static void let_list(struct world *world, const char *teams)
{
    world->oracles[0].source.driver = &list_driver;
    world->oracles[0].answer = OK;
    world->oracles[0].message = teams;
}

static void one_list_answers_for_all_teams(void **state)
{
    struct world world;

    (void)state;
    setup(&world);
    let_list(&world, "acme\nother\n");
    assert_int_equal(ask_of(&world, "acme", "token", true), OK);
    assert_int_equal(ask_of(&world, "other", "token", true), OK);
    assert_int_equal(ask_of(&world, "foreign", "token", true), ERROR_DENIED);
    assert_string_equal(world.err.message, "the lister does not list jdoe in team foreign");
    assert_int_equal(questions(&world), 1);
    assert_int_equal(ask_of(&world, "acme", "another", true), OK);
    world.identity.name = str_from("other");
    assert_int_equal(ask_of(&world, "acme", "token", true), OK);
    assert_int_equal(questions(&world), 3);
    team_directory_free(world.directory);
}

static void new_member_is_known_as_soon_as_without_a_list(void **state)
{
    struct world world;

    (void)state;
    setup(&world);
    let_list(&world, "acme\n");
    assert_int_equal(ask_of(&world, "acme", "token", true), OK);
    assert_int_equal(ask_of(&world, "new", "token", true), ERROR_DENIED);
    world.oracles[0].message = "acme\nnew\n";
    fake_clock_advance(&world.clock, 4999);
    assert_int_equal(ask_of(&world, "new", "token", true), ERROR_DENIED);
    fake_clock_advance(&world.clock, 1);
    assert_int_equal(ask_of(&world, "new", "token", true), OK);
    assert_int_equal(questions(&world), 2);
    team_directory_free(world.directory);
}

static void yes_from_a_list_ends_with_it(void **state)
{
    struct world world;

    (void)state;
    setup(&world);
    let_list(&world, "acme\nother\n");
    assert_int_equal(ask_of(&world, "acme", "token", true), OK);
    fake_clock_advance(&world.clock, CACHE_MS - 1);
    assert_int_equal(ask_of(&world, "other", "token", true), OK);
    world.oracles[0].message = "";
    assert_int_equal(questions(&world), 1);
    fake_clock_advance(&world.clock, 1);
    assert_int_equal(ask_of(&world, "other", "token", true), ERROR_DENIED);
    team_directory_free(world.directory);
}

static void outage_takes_nothing_from_what_a_list_says(void **state)
{
    struct world world;

    (void)state;
    setup(&world);
    let_list(&world, "acme\nother\n");
    assert_int_equal(ask_of(&world, "acme", "token", true), OK);
    fake_clock_advance(&world.clock, 5000);
    world.oracles[0].answer = ERROR_UNAVAILABLE;
    assert_int_equal(ask_of(&world, "foreign", "token", true), ERROR_UNAVAILABLE);
    assert_int_equal(ask_of(&world, "foreign", "token", true), ERROR_UNAVAILABLE);
    assert_int_equal(questions(&world), 2);
    assert_int_equal(ask_of(&world, "other", "token", true), OK);
    team_directory_free(world.directory);
}

static void list_that_is_too_long_grants_nothing(void **state)
{
    struct world world;
    struct strbuf teams;

    (void)state;
    setup(&world);
    strbuf_init(&teams, 2 * IDENTITY_LIST_BYTES);
    strbuf_append_text(&teams, "acme\n");
    while (teams.length <= IDENTITY_LIST_BYTES) {
        strbuf_append_text(&teams, "another\n");
    }
    let_list(&world, teams.text);
    assert_int_equal(ask_of(&world, "acme", "token", true), ERROR_UNAVAILABLE);
    strbuf_release(&teams);
    team_directory_free(world.directory);
}

static enum error_code ask_number(struct world *world, int number)
{
    const char team[] = {'t', (char)('0' + number / 10), (char)('0' + number % 10), '\0'};

    return ask_of(world, team, "token", true);
}

static void nobody_is_refused_for_team_after_team(void **state)
{
    struct world world;

    (void)state;
    setup_with(&world, 1024);
    world.oracles[0].answer = OK;
    assert_int_equal(ask(&world), OK);
    world.oracles[0].answer = ERROR_DENIED;
    for (int i = 0; i < TEAM_REFUSALS_MAX; i++) {
        assert_int_equal(ask_number(&world, i), ERROR_DENIED);
    }
    assert_int_equal(ask_number(&world, TEAM_REFUSALS_MAX), ERROR_TOO_MANY);
    assert_int_equal(ask_of(&world, "t00", "another", true), ERROR_TOO_MANY);
    assert_true(world.err.retry_after_s > 0);
    assert_non_null(strstr(world.err.message, "jdoe was refused for too many teams: wait"));
    assert_int_equal(ask(&world), OK);
    assert_int_equal(questions(&world), 1 + TEAM_REFUSALS_MAX);
    world.identity.name = str_from("somebody else");
    assert_int_equal(ask_number(&world, 0), ERROR_DENIED);
    world.identity.name = str_from("jdoe");
    fake_clock_advance(&world.clock, LOGIN_WINDOW_MS);
    assert_int_equal(ask_number(&world, TEAM_REFUSALS_MAX), ERROR_DENIED);
    team_directory_free(world.directory);
}

/* Who hangs must not slow those whose answers are known. */
static void known_answer_does_not_wait_for_another_question(void **state)
{
    atomic_int started = 0;
    struct world world;
    struct asker asker = {.world = &world, .started = &started, .code = ERROR_INTERNAL};

    (void)state;
    setup(&world);
    world.oracles[0].answer = OK;
    assert_int_equal(ask_of(&world, "known", "token", true), OK);
    atomic_store(&world.oracles[0].is_held, true);
    assert_int_equal(pthread_create(&asker.thread, NULL, ask_in_thread, &asker), 0);
    while (questions(&world) < 2) {
        (void)sched_yield();
    }
    assert_int_equal(ask_of(&world, "known", "token", true), OK);
    assert_int_equal(ask_of(&world, "known", "token", false), OK);
    assert_int_equal(ask_of(&world, "acme", "token", false), ERROR_UNAVAILABLE);
    assert_true(world.waits);
    atomic_store(&world.oracles[0].is_held, false);
    assert_int_equal(pthread_join(asker.thread, NULL), 0);
    assert_int_equal(asker.code, OK);
    team_directory_free(world.directory);
}

static void nothing_can_be_freed(void **state)
{
    (void)state;
    team_directory_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yes_beats_unavailable_beats_no),
        cmocka_unit_test(all_who_said_no_are_named),
        cmocka_unit_test(long_refusals_are_bounded),
        cmocka_unit_test(first_who_cannot_be_asked_is_named),
        cmocka_unit_test(only_those_are_asked_who_know_the_kind),
        cmocka_unit_test(nobody_to_ask_is_a_no),
        cmocka_unit_test(answers_count_for_their_time),
        cmocka_unit_test(cached_refusal_keeps_its_reason),
        cmocka_unit_test(what_is_not_cached_is_not_known_without_waiting),
        cmocka_unit_test(answer_counts_for_one_name_kind_and_team),
        cmocka_unit_test(what_one_token_may_says_nothing_of_another),
        cmocka_unit_test(cache_is_bounded),
        cmocka_unit_test(those_who_ask_at_the_same_time_cause_one_question),
        cmocka_unit_test(one_list_answers_for_all_teams),
        cmocka_unit_test(new_member_is_known_as_soon_as_without_a_list),
        cmocka_unit_test(yes_from_a_list_ends_with_it),
        cmocka_unit_test(outage_takes_nothing_from_what_a_list_says),
        cmocka_unit_test(list_that_is_too_long_grants_nothing),
        cmocka_unit_test(nobody_is_refused_for_team_after_team),
        cmocka_unit_test(known_answer_does_not_wait_for_another_question),
        cmocka_unit_test(nothing_can_be_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
