#include "auth/lookup_cache.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "tests/support/fake_clock.h"

enum { ENTRIES = 64, THREADS = 20 };

struct fixture {
    struct fake_clock clock;
    struct lookup_cache *cache;
    struct metrics *metrics;
};

/* What a lookup answers, and how often it was asked. */
struct script {
    enum error_code code;
    const char *name; /* of the identity; NULL: none */
    int64_t lifetime_ms;
    atomic_int runs;
    sem_t *gate; /* waited for; NULL: none */
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fake_clock_init(&fixture.clock);
    fixture.metrics = metrics_new();
    fixture.cache = lookup_cache_new(ENTRIES, &fixture.clock.clock, "test", fixture.metrics);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    lookup_cache_free(fixture->cache);
    metrics_free(fixture->metrics);
    return 0;
}

static void run(void *context, struct lookup_outcome *outcome_out)
{
    struct script *script = context;
    struct identity fields = {.name = str_from(script->name)};

    (void)atomic_fetch_add(&script->runs, 1);
    if (script->gate) {
        (void)sem_wait(script->gate);
    }
    outcome_out->code = script->code;
    outcome_out->lifetime_ms = script->lifetime_ms;
    outcome_out->identity = script->name ? identity_new(&fields) : NULL;
    if (script->code) {
        (void)error_set(&outcome_out->err, script->code, "because of %d", script->code);
    }
}

static struct lookup_key key_of(unsigned number)
{
    struct lookup_key key = {{0}};

    memcpy(key.bytes, &number, sizeof(number));
    return key;
}

static void get(struct fixture *fixture, unsigned number, struct script *script,
                struct lookup_outcome *outcome_out)
{
    const struct lookup lookup = {key_of(number), run, script, 0};

    lookup_cache_get(fixture->cache, &lookup, outcome_out);
}

static void an_answer_that_is_too_old_for_a_question_is_asked_again(void **state)
{
    struct fixture *fixture = *state;
    struct script script = {.name = "jdoe", .lifetime_ms = 1000};
    struct lookup lookup = {key_of(1), run, &script, 0};
    struct lookup_outcome outcome;

    for (int i = 0; i < 3; i++) {
        lookup_cache_get(fixture->cache, &lookup, &outcome);
        lookup_outcome_release(&outcome);
        assert_int_equal(atomic_load(&script.runs), i < 2 ? 1 : 2);
        fake_clock_advance(&fixture->clock, i == 0 ? 499 : 1);
        lookup.age_max_ms = 500;
    }
}

static void an_answer_counts_for_its_lifetime(void **state)
{
    struct fixture *fixture = *state;
    struct script script = {.name = "jdoe", .lifetime_ms = 1000};
    const struct lookup_key key = key_of(1);
    struct lookup_outcome outcome;

    assert_false(lookup_cache_find(fixture->cache, &key, &outcome));
    for (int i = 0; i < 2; i++) {
        get(fixture, 1, &script, &outcome);
        assert_int_equal(outcome.code, OK);
        assert_true(str_is(outcome.identity->name, "jdoe"));
        lookup_outcome_release(&outcome);
    }
    assert_int_equal(script.runs, 1);
    fake_clock_advance(&fixture->clock, 999);
    assert_true(lookup_cache_find(fixture->cache, &key, &outcome));
    lookup_outcome_release(&outcome);
    fake_clock_advance(&fixture->clock, 1);
    assert_false(lookup_cache_find(fixture->cache, &key, &outcome));
    get(fixture, 1, &script, &outcome);
    lookup_outcome_release(&outcome);
    assert_int_equal(script.runs, 2);
}

static void a_failure_is_remembered_with_its_reason(void **state)
{
    struct fixture *fixture = *state;
    struct script script = {.code = ERROR_DENIED, .lifetime_ms = 1000};
    const struct lookup_key key = key_of(1);
    struct lookup_outcome outcome;

    get(fixture, 1, &script, &outcome);
    lookup_outcome_release(&outcome);
    memset(&outcome, 0, sizeof(outcome));
    assert_true(lookup_cache_find(fixture->cache, &key, &outcome));
    assert_int_equal(outcome.code, ERROR_DENIED);
    assert_string_equal(outcome.err.message, "because of 3");
    assert_null(outcome.identity);
}

static void what_has_no_lifetime_is_not_kept(void **state)
{
    struct fixture *fixture = *state;
    struct script script = {.name = "jdoe"};
    struct lookup_outcome outcome;

    get(fixture, 1, &script, &outcome);
    lookup_outcome_release(&outcome);
    get(fixture, 1, &script, &outcome);
    assert_true(str_is(outcome.identity->name, "jdoe"));
    lookup_outcome_release(&outcome);
    assert_int_equal(script.runs, 2);
}

static void other_keys_have_other_answers(void **state)
{
    struct fixture *fixture = *state;
    struct script one = {.name = "one", .lifetime_ms = 1000};
    struct script two = {.name = "two", .lifetime_ms = 1000};
    struct lookup_outcome outcome;

    get(fixture, 1, &one, &outcome);
    lookup_outcome_release(&outcome);
    get(fixture, 2, &two, &outcome);
    assert_true(str_is(outcome.identity->name, "two"));
    lookup_outcome_release(&outcome);
    get(fixture, 1, &one, &outcome);
    assert_true(str_is(outcome.identity->name, "one"));
    lookup_outcome_release(&outcome);
}

static void what_would_end_first_makes_room(void **state)
{
    struct fixture *fixture = *state;
    struct script brief = {.name = "brief", .lifetime_ms = 1000};
    struct script lasting = {.name = "lasting", .lifetime_ms = 100000};
    struct lookup_outcome outcome;
    struct lookup_key key;
    unsigned kept = 0;

    for (unsigned i = 0; i < 10 * ENTRIES; i++) {
        get(fixture, i, i == 3 ? &lasting : &brief, &outcome);
        lookup_outcome_release(&outcome);
    }
    for (unsigned i = 0; i < 10 * ENTRIES; i++) {
        key = key_of(i);
        if (lookup_cache_find(fixture->cache, &key, &outcome)) {
            kept++;
            lookup_outcome_release(&outcome);
        }
    }
    assert_int_equal(kept, ENTRIES);
    key = key_of(3);
    assert_true(lookup_cache_find(fixture->cache, &key, &outcome));
    lookup_outcome_release(&outcome);
}

struct caller {
    struct fixture *fixture;
    struct script *script;
    enum error_code code;
    bool is_right;
};

static void *call(void *argument)
{
    struct caller *caller = argument;
    struct lookup_outcome outcome;

    get(caller->fixture, 1, caller->script, &outcome);
    caller->code = outcome.code;
    caller->is_right = outcome.identity && str_is(outcome.identity->name, "jdoe");
    lookup_outcome_release(&outcome);
    return NULL;
}

/* Whether or not the answer is kept: all who ask while it is sought get it. The gate opens once for
 * each run, so that a second one would be seen. */
static void those_who_ask_at_once_share_one_lookup(void **state)
{
    struct fixture *fixture = *state;
    sem_t gate;
    struct script script = {.name = "jdoe", .lifetime_ms = 1000, .gate = &gate};
    struct caller callers[THREADS];
    pthread_t threads[THREADS];
    struct script other = {.name = "other", .lifetime_ms = 1000};
    struct lookup_outcome outcome;

    (void)sem_init(&gate, 0, 0);
    for (int i = 0; i < THREADS; i++) {
        callers[i] = (struct caller){fixture, &script, ERROR_INTERNAL, false};
        assert_int_equal(pthread_create(&threads[i], NULL, call, &callers[i]), 0);
    }
    get(fixture, 2, &other, &outcome); /* not held up */
    lookup_outcome_release(&outcome);
    for (int i = 0; i < THREADS; i++) {
        (void)sem_post(&gate);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(callers[i].code, OK);
        assert_true(callers[i].is_right);
    }
    assert_int_equal(script.runs, 1);
    (void)sem_destroy(&gate);
}

static void what_is_known_and_what_is_not_is_counted(void **state)
{
    static const struct {
        const char *name;
        int64_t number;
    } rows[] = {{"hits_total", 2}, {"misses_total", 1}, {"shared_total", 0}, {"seconds", 1}};
    struct fixture *fixture = *state;
    struct script script = {.name = "jdoe", .lifetime_ms = 1000};
    const struct lookup_key key = key_of(1);
    struct lookup_outcome outcome;

    assert_false(lookup_cache_find(fixture->cache, &key, &outcome));
    for (int i = 0; i < 2; i++) {
        get(fixture, 1, &script, &outcome);
        lookup_outcome_release(&outcome);
    }
    assert_true(lookup_cache_find(fixture->cache, &key, &outcome));
    lookup_outcome_release(&outcome);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(
            metrics_number(fixture->metrics, "pierone_lookup_cache", "test", rows[i].name),
            rows[i].number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_known_and_what_is_not_is_counted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_answer_that_is_too_old_for_a_question_is_asked_again,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_answer_counts_for_its_lifetime, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failure_is_remembered_with_its_reason, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_has_no_lifetime_is_not_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_keys_have_other_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_would_end_first_makes_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(those_who_ask_at_once_share_one_lookup, set_up, tear_down),
    };

    lookup_cache_free(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
