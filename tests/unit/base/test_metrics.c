#include "base/metrics.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { HITS, OPEN, WAIT };

static const struct metric rows[] = {
    [HITS] = {METRIC_COUNTER, "hits_total", "what was found"},
    [OPEN] = {METRIC_GAUGE, "open", "what is open"},
    [WAIT] = {METRIC_TIME, "wait_seconds", "how long it waited"},
};
static const struct metric_table table = {"test", "pool", rows, ARRAY_LEN(rows)};

static int set_up(void **state)
{
    *state = metrics_new();
    return 0;
}

static int tear_down(void **state)
{
    metrics_free(*state);
    return 0;
}

static void what_happens_is_counted(void **state)
{
    struct metrics *const metrics = *state;
    struct metric_group *const group = metrics_add_group(metrics, &table, NULL);

    assert_int_equal(metrics_number(metrics, "test", NULL, "hits_total"), 0);
    metric_add(group, HITS, 1);
    metric_add(group, HITS, 41);
    metric_add(group, OPEN, 3);
    metric_subtract(group, OPEN, 1);
    assert_int_equal(metrics_number(metrics, "test", NULL, "hits_total"), 42);
    assert_int_equal(metrics_number(metrics, "test", NULL, "open"), 2);
    metric_subtract(group, OPEN, 3);
    assert_int_equal(metrics_number(metrics, "test", NULL, "open"), -1);
    assert_int_equal(metrics_number(metrics, "test", NULL, "other"), 0);
    assert_int_equal(metrics_number(metrics, "other", NULL, "open"), 0);
}

static void groups_are_told_apart_by_their_label(void **state)
{
    struct metrics *const metrics = *state;
    struct metric_group *const one = metrics_add_group(metrics, &table, "one");
    struct metric_group *const other = metrics_add_group(metrics, &table, "other");

    metric_add(one, HITS, 1);
    metric_add(other, HITS, 2);
    assert_int_equal(metrics_number(metrics, "test", "one", "hits_total"), 1);
    assert_int_equal(metrics_number(metrics, "test", "other", "hits_total"), 2);
    assert_int_equal(metrics_number(metrics, "test", NULL, "hits_total"), 1);
    assert_int_equal(metrics_number(metrics, "test", "third", "hits_total"), 0);
}

struct seen {
    size_t count;
    struct metric_value values[8];
};

static void see(void *context, const struct metric_value *value)
{
    struct seen *const seen = context;

    seen->values[seen->count++] = *value;
}

static void times_are_summed_and_sorted_into_buckets(void **state)
{
    struct metrics *const metrics = *state;
    struct metric_group *const group = metrics_add_group(metrics, &table, "one");
    struct seen seen = {0};
    const struct metric_value *wait = &seen.values[WAIT];

    metric_time(group, WAIT, -1);
    metric_time(group, WAIT, 1000);
    metric_time(group, WAIT, 1001);
    metric_time(group, WAIT, 60 * 1000 * 1000 + 1);
    metrics_read(metrics, see, &seen);
    assert_int_equal(seen.count, ARRAY_LEN(rows));
    assert_ptr_equal(wait->metric, &rows[WAIT]);
    assert_string_equal(wait->label, "one");
    assert_int_equal(wait->number, 4);
    assert_int_equal(wait->sum_us, 1000 + 1001 + 60 * 1000 * 1000 + 1);
    assert_int_equal(wait->buckets[0], 2);
    for (size_t i = 1; i < METRIC_BUCKETS; i++) {
        assert_int_equal(wait->buckets[i], 3);
    }
}

static void without_a_collection_nothing_is_counted(void **state)
{
    struct metric_group *const group = metrics_add_group(NULL, &table, NULL);

    (void)state;
    assert_null(group);
    metric_add(group, HITS, 1);
    metric_subtract(group, OPEN, 1);
    metric_time(group, WAIT, 1);
    metrics_free(NULL);
}

enum { THREADS = 4, ROUNDS = 20000 };

static void *count(void *context)
{
    for (int i = 0; i < ROUNDS; i++) {
        metric_add(context, HITS, 1);
        metric_add(context, OPEN, 1);
        metric_subtract(context, OPEN, 1);
    }
    return NULL;
}

static void threads_lose_nothing(void **state)
{
    struct metrics *const metrics = *state;
    struct metric_group *const group = metrics_add_group(metrics, &table, NULL);
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, count, group), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(metrics_number(metrics, "test", NULL, "hits_total"), THREADS * ROUNDS);
    assert_int_equal(metrics_number(metrics, "test", NULL, "open"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_happens_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(groups_are_told_apart_by_their_label, set_up, tear_down),
        cmocka_unit_test_setup_teardown(times_are_summed_and_sorted_into_buckets, set_up,
                                        tear_down),
        cmocka_unit_test(without_a_collection_nothing_is_counted),
        cmocka_unit_test_setup_teardown(threads_lose_nothing, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
