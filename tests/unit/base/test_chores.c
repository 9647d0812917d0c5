#include "base/chores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

enum { NEVER_MS = 1000 * 1000 * 1000, RUNS_WANTED = 5 };

/* A chore that counts how often it ran, and tells when that was often enough. */
struct counter {
    pthread_mutex_t runs_mutex;
    pthread_cond_t has_run;
    int runs;
    int64_t again_ms;
};

static void counter_init(struct counter *counter, int64_t again_ms)
{
    *counter = (struct counter){.again_ms = again_ms};
    (void)pthread_mutex_init(&counter->runs_mutex, NULL);
    (void)pthread_cond_init(&counter->has_run, NULL);
}

static int64_t count_run(void *context)
{
    struct counter *counter = context;

    (void)pthread_mutex_lock(&counter->runs_mutex);
    counter->runs++;
    (void)pthread_cond_signal(&counter->has_run);
    (void)pthread_mutex_unlock(&counter->runs_mutex);
    return counter->again_ms;
}

static void await_runs(struct counter *counter, int runs)
{
    (void)pthread_mutex_lock(&counter->runs_mutex);
    while (counter->runs < runs) {
        (void)pthread_cond_wait(&counter->has_run, &counter->runs_mutex);
    }
    (void)pthread_mutex_unlock(&counter->runs_mutex);
}

static void chore_comes_again_when_it_says(void **state)
{
    struct counter often;
    struct counter once;
    struct chores *chores = NULL;

    (void)state;
    counter_init(&often, 1);
    counter_init(&once, NEVER_MS);
    const struct chore list[] = {
        {.run = count_run, .context = &once},
        {.run = count_run, .context = &often, .after_ms = 1},
    };

    assert_int_equal(chores_start(list, 2, &clock_system, &chores, NULL), OK);
    await_runs(&often, RUNS_WANTED);
    chores_end(chores);
    assert_true(often.runs >= RUNS_WANTED);
    assert_int_equal(once.runs, 1);
}

static void chore_that_is_not_due_does_not_keep_from_ending(void **state)
{
    struct counter later;
    struct chores *chores = NULL;

    (void)state;
    counter_init(&later, NEVER_MS);
    const struct chore chore = {.run = count_run, .context = &later, .after_ms = NEVER_MS};

    assert_int_equal(chores_start(&chore, 1, &clock_system, &chores, NULL), OK);
    chores_end(chores);
    assert_int_equal(later.runs, 0);
}

static void nothing_has_no_end(void **state)
{
    (void)state;
    chores_end(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chore_comes_again_when_it_says),
        cmocka_unit_test(chore_that_is_not_due_does_not_keep_from_ending),
        cmocka_unit_test(nothing_has_no_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
