#include "base/metrics.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

enum {
    LINE_BYTES = 64,               /* of a processor's cache */
    LINE_NUMBERS = LINE_BYTES / 8, /* in one of them */
    SHARES_MAX = 64,               /* more processors than that share */
    METRIC_NAME_BYTES = 64,
    TIME_NUMBERS = 2 + METRIC_BUCKETS, /* how often, all in all, and each bucket */
};

const uint64_t metric_bucket_us[METRIC_BUCKETS] = {
    1000, 5000, 25 * 1000, 100 * 1000, 500 * 1000, 2500 * 1000, 10 * 1000 * 1000, 60 * 1000 * 1000,
};

typedef _Atomic uint64_t number;

struct metric_group {
    _Atomic(struct metric_group *) next; /* set once */
    const struct metric_table *table;
    const char *label;
    unsigned share_mask;
    size_t share_numbers; /* of one processor: whole lines */
    size_t *firsts;       /* the number of each row */
    number *numbers;      /* of all processors */
};

/* Groups are added behind the last and stay, so that whoever reads needs no lock. */
struct metrics {
    pthread_mutex_t last_mutex; /* guards last */
    _Atomic(struct metric_group *) *last;
    _Atomic(struct metric_group *) first;
};

struct metrics *metrics_new(void)
{
    struct metrics *metrics = memory_new(1, sizeof(*metrics));

    (void)pthread_mutex_init(&metrics->last_mutex, NULL);
    metrics->last = &metrics->first;
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    struct metric_group *next = NULL;

    if (!metrics) {
        return;
    }
    for (struct metric_group *group = atomic_load(&metrics->first); group; group = next) {
        next = atomic_load(&group->next);
        free(group->numbers);
        free(group->firsts);
        free(group);
    }
    (void)pthread_mutex_destroy(&metrics->last_mutex);
    free(metrics);
}

/* As many as there are processors, or the next power of two. */
static unsigned count_shares(void)
{
    const long processors = sysconf(_SC_NPROCESSORS_CONF);
    unsigned shares = 1;

    while (shares < SHARES_MAX && (long)shares < processors) {
        shares *= 2;
    }
    return shares;
}

static number *new_numbers(size_t count)
{
    const size_t bytes = count * sizeof(number);
    void *const numbers = aligned_alloc(LINE_BYTES, bytes);

    if (!numbers) {
        abort(); /* out of memory */
    }
    memset(numbers, 0, bytes);
    return numbers;
}

struct metric_group *metrics_add_group(struct metrics *metrics, const struct metric_table *table,
                                       const char *label)
{
    struct metric_group *group = NULL;
    const unsigned shares = count_shares();
    size_t next = 0;

    if (!metrics) {
        return NULL;
    }
    group = memory_new(1, sizeof(*group));
    group->table = table;
    group->label = label;
    group->share_mask = shares - 1;
    group->firsts = memory_new(table->count, sizeof(*group->firsts));
    for (size_t i = 0; i < table->count; i++) {
        group->firsts[i] = next;
        next += table->rows[i].kind == METRIC_TIME ? TIME_NUMBERS : 1;
    }
    group->share_numbers = (next + LINE_NUMBERS - 1) / LINE_NUMBERS * LINE_NUMBERS;
    group->numbers = new_numbers(shares * group->share_numbers);
    (void)pthread_mutex_lock(&metrics->last_mutex);
    atomic_store(metrics->last, group);
    metrics->last = &group->next;
    (void)pthread_mutex_unlock(&metrics->last_mutex);
    return group;
}

/* A thread may be moved to another processor at any time: so adding is atomic, but where nobody
 * else is, that costs next to nothing. */
static void metrics_add_to(struct metric_group *group, size_t index, uint64_t count)
{
    const unsigned share = (unsigned)sched_getcpu() & group->share_mask;

    (void)atomic_fetch_add_explicit(&group->numbers[share * group->share_numbers + index], count,
                                    memory_order_relaxed);
}

void metric_add(struct metric_group *group, size_t row, uint64_t count)
{
    if (group) {
        assert(row < group->table->count);
        metrics_add_to(group, group->firsts[row], count);
    }
}

void metric_subtract(struct metric_group *group, size_t row, uint64_t count)
{
    metric_add(group, row, 0 - count); /* sums wrap around */
}

void metric_time(struct metric_group *group, size_t row, int64_t duration_us)
{
    const uint64_t us = duration_us > 0 ? (uint64_t)duration_us : 0;
    size_t bucket = 0;

    if (!group) {
        return;
    }
    assert(group->table->rows[row].kind == METRIC_TIME);
    while (bucket < METRIC_BUCKETS && us > metric_bucket_us[bucket]) {
        bucket++;
    }
    metrics_add_to(group, group->firsts[row], 1);
    metrics_add_to(group, group->firsts[row] + 1, us);
    if (bucket < METRIC_BUCKETS) {
        metrics_add_to(group, group->firsts[row] + 2 + bucket, 1);
    }
}

static uint64_t sum(const struct metric_group *group, size_t index)
{
    uint64_t total = 0;

    for (unsigned share = 0; share <= group->share_mask; share++) {
        total += atomic_load_explicit(&group->numbers[share * group->share_numbers + index],
                                      memory_order_relaxed);
    }
    return total;
}

static struct metric_value metrics_read_row(const struct metric_group *group, size_t row)
{
    const size_t first = group->firsts[row];
    struct metric_value value = {
        .table = group->table,
        .metric = &group->table->rows[row],
        .label = group->label,
        .number = (int64_t)sum(group, first),
    };

    if (value.metric->kind == METRIC_TIME) {
        uint64_t before = 0;

        value.sum_us = sum(group, first + 1);
        for (size_t i = 0; i < METRIC_BUCKETS; i++) {
            before += sum(group, first + 2 + i);
            value.buckets[i] = before;
        }
    }
    return value;
}

void metrics_read(struct metrics *metrics, metrics_visit *visit, void *context)
{
    for (struct metric_group *group = atomic_load(&metrics->first); group;
         group = atomic_load(&group->next)) {
        for (size_t row = 0; row < group->table->count; row++) {
            const struct metric_value value = metrics_read_row(group, row);

            visit(context, &value);
        }
    }
}

static void log_row(struct log_line *line, const struct metric_value *value)
{
    log_number(line, value->metric->name, value->number);
    if (value->metric->kind == METRIC_TIME) {
        char name[METRIC_NAME_BYTES];

        (void)snprintf(name, sizeof(name), "%s_sum_us", value->metric->name);
        log_number(line, name, (int64_t)value->sum_us);
    }
}

void metrics_log(struct metrics *metrics, struct log *log)
{
    for (struct metric_group *group = metrics ? atomic_load(&metrics->first) : NULL; group;
         group = atomic_load(&group->next)) {
        struct log_line line;

        log_begin(&line, log, LOG_DEBUG, "metrics");
        log_text(&line, "table", str_from(group->table->name));
        if (group->label) {
            log_text(&line, group->table->label, str_from(group->label));
        }
        for (size_t row = 0; row < group->table->count; row++) {
            const struct metric_value value = metrics_read_row(group, row);

            log_row(&line, &value);
        }
        log_end(&line);
    }
}

/* One that is looked for. */
struct search {
    const char *table;
    const char *label;
    const char *name;
    bool is_found;
    int64_t number;
};

static void metrics_compare(void *context, const struct metric_value *value)
{
    struct search *const search = context;
    const bool is_same_label =
        !search->label || (value->label && strcmp(search->label, value->label) == 0);

    if (!search->is_found && is_same_label && strcmp(search->table, value->table->name) == 0 &&
        strcmp(search->name, value->metric->name) == 0) {
        search->is_found = true;
        search->number = value->number;
    }
}

int64_t metrics_number(struct metrics *metrics, const char *table, const char *label,
                       const char *name)
{
    struct search search = {.table = table, .label = label, .name = name};

    metrics_read(metrics, metrics_compare, &search);
    return search.number;
}
