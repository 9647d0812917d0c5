#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/log.h"

/*
 * Counting what happens, for whoever looks at it later. A module has a table of what it counts, and
 * each of its objects a group of these counters; all groups are in one collection, which is given
 * to each module and knows how to read them. Counting is an addition to memory that the processor
 * has for itself: it never waits, and reading sums up. Used by many threads at once.
 */
struct metrics;
struct metric_group;

enum metric_kind {
    METRIC_COUNTER, /* grows */
    METRIC_GAUGE,   /* how many there are now: what came less what went */
    METRIC_TIME,    /* how long something took: how often, all in all, and in buckets */
};

struct metric {
    enum metric_kind kind;
    const char *name; /* as Prometheus has it, without the table's: `hits_total` */
    const char *help; /* one line */
};

struct metric_table {
    const char *name;  /* of the module, what all names begin with: `pierone_content_cache` */
    const char *label; /* what tells its groups from each other: `pool`; NULL: there is one */
    const struct metric *rows;
    size_t count;
};

enum { METRIC_BUCKETS = 8 };

/* Up to so many microseconds, each bucket counts; what took longer is in none of them. */
extern const uint64_t metric_bucket_us[METRIC_BUCKETS];

struct metrics *metrics_new(void);

/* Frees all groups, too: nobody may count any more. NULL is accepted. */
void metrics_free(struct metrics *metrics);

/* A group with all at 0. Table and label (NULL: none) are borrowed. NULL without metrics: counting
 * there does nothing. */
struct metric_group *metrics_add_group(struct metrics *metrics, const struct metric_table *table,
                                       const char *label);

/* By the number of its row in the table. */
void metric_add(struct metric_group *group, size_t row, uint64_t count);
void metric_subtract(struct metric_group *group, size_t row, uint64_t count);
void metric_time(struct metric_group *group, size_t row, int64_t duration_us);

/* What one counter says now. What is counted meanwhile may be in it or not. */
struct metric_value {
    const struct metric_table *table;
    const struct metric *metric;
    const char *label;
    int64_t number;                   /* of METRIC_TIME: how often */
    uint64_t sum_us;                  /* of METRIC_TIME, as the next */
    uint64_t buckets[METRIC_BUCKETS]; /* each with those before it */
};

/* Calls visit for each counter, group after group in the order in which they were added. */
typedef void metrics_visit(void *context, const struct metric_value *value);
void metrics_read(struct metrics *metrics, metrics_visit *visit, void *context);

/* A line for each group at LOG_DEBUG. NULL is accepted. */
void metrics_log(struct metrics *metrics, struct log *log);

/* The number of one of them: of the table of that name, with that label (NULL: the first group).
 * 0 if there is none. */
int64_t metrics_number(struct metrics *metrics, const char *table, const char *label,
                       const char *name);
