#include "auth/lookup_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/memory.h"

enum { SLOTS_PER_BUCKET = 8 };

/* An outcome that is kept. */
struct slot {
    struct lookup_key key;
    int64_t ends_ms; /* monotonic; 0: the slot is free */
    int64_t since_ms;
    enum error_code code;
    struct error *err; /* of a failure */
    struct identity *identity;
};

/* A lookup that somebody runs; lives on that one's stack until the last who waits has the outcome.
 */
struct flight {
    struct list_node node;
    const struct lookup_key *key;
    struct lookup_outcome *outcome;
    bool is_done;
    unsigned waiting;
};

enum { LOOKUP_HITS, LOOKUP_MISSES, LOOKUP_SHARED, LOOKUP_TIME };

static const struct metric lookup_metrics[] = {
    [LOOKUP_HITS] = {METRIC_COUNTER, "hits_total", "Lookups whose answer was known"},
    [LOOKUP_MISSES] = {METRIC_COUNTER, "misses_total", "Lookups whose answer had to be asked for"},
    [LOOKUP_SHARED] = {METRIC_COUNTER, "shared_total", "Lookups that waited for another's answer"},
    [LOOKUP_TIME] = {METRIC_TIME, "seconds", "How long it took to find an answer"},
};
static const struct metric_table lookup_table = {"pierone_lookup_cache", "cache", lookup_metrics,
                                                 ARRAY_LEN(lookup_metrics)};

struct lookup_cache {
    struct metric_group *metrics;
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t has_landed;
    struct list_node flights; /* at most one a thread */
    struct slot *slots;
    size_t bucket_count;
    const struct clock *clock;
};

struct lookup_cache *lookup_cache_new(size_t entries, const struct clock *clock, const char *name,
                                      struct metrics *metrics)
{
    struct lookup_cache *cache = memory_new(1, sizeof(*cache));

    cache->metrics = metrics_add_group(metrics, &lookup_table, name);
    (void)pthread_mutex_init(&cache->mutex, NULL);
    (void)pthread_cond_init(&cache->has_landed, NULL);
    list_init(&cache->flights);
    cache->bucket_count = (entries + SLOTS_PER_BUCKET - 1) / SLOTS_PER_BUCKET;
    cache->slots = memory_new(cache->bucket_count * SLOTS_PER_BUCKET, sizeof(*cache->slots));
    cache->clock = clock;
    return cache;
}

static void clear_slot(struct slot *slot)
{
    identity_release(slot->identity);
    free(slot->err);
    *slot = (struct slot){0};
}

void lookup_cache_free(struct lookup_cache *cache)
{
    if (!cache) {
        return;
    }
    for (size_t i = 0; i < cache->bucket_count * SLOTS_PER_BUCKET; i++) {
        clear_slot(&cache->slots[i]);
    }
    (void)pthread_cond_destroy(&cache->has_landed);
    (void)pthread_mutex_destroy(&cache->mutex);
    free(cache->slots);
    free(cache);
}

/* Keys are hashes: any of their bytes will do. */
static struct slot *lookup_bucket(struct lookup_cache *cache, const struct lookup_key *key)
{
    uint64_t number = 0;

    memcpy(&number, key->bytes, sizeof(number));
    return &cache->slots[number % cache->bucket_count * SLOTS_PER_BUCKET];
}

static bool lookup_is_same(const struct lookup_key *a, const struct lookup_key *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static bool lookup_find(struct lookup_cache *cache, const struct lookup_key *key,
                        int64_t age_max_ms, struct lookup_outcome *outcome_out)
{
    const int64_t now_ms = clock_monotonic_ms(cache->clock);
    struct slot *bucket = lookup_bucket(cache, key);

    for (size_t i = 0; i < SLOTS_PER_BUCKET; i++) {
        const struct slot *slot = &bucket[i];

        if (slot->ends_ms > now_ms && lookup_is_same(&slot->key, key) &&
            (age_max_ms == 0 || now_ms - slot->since_ms < age_max_ms)) {
            outcome_out->code = slot->code;
            outcome_out->identity = slot->identity ? identity_retain(slot->identity) : NULL;
            outcome_out->lifetime_ms = slot->ends_ms - now_ms;
            if (slot->err) {
                outcome_out->err = *slot->err;
            }
            return true;
        }
    }
    return false;
}

bool lookup_cache_find(struct lookup_cache *cache, const struct lookup_key *key,
                       struct lookup_outcome *outcome_out)
{
    bool is_known = false;

    (void)pthread_mutex_lock(&cache->mutex);
    is_known = lookup_find(cache, key, 0, outcome_out);
    (void)pthread_mutex_unlock(&cache->mutex);
    metric_add(cache->metrics, LOOKUP_HITS, is_known ? 1 : 0); /* whoever asks then is counted */
    return is_known;
}

static struct flight *find_flight(struct lookup_cache *cache, const struct lookup_key *key)
{
    for (struct list_node *node = cache->flights.next; node != &cache->flights; node = node->next) {
        struct flight *flight = (struct flight *)node; /* its first member */

        if (lookup_is_same(flight->key, key)) {
            return flight;
        }
    }
    return NULL;
}

static void copy_outcome(const struct lookup_outcome *outcome, struct lookup_outcome *copy_out)
{
    *copy_out = *outcome;
    copy_out->identity = outcome->identity ? identity_retain(outcome->identity) : NULL;
}

static void lookup_await(struct lookup_cache *cache, struct flight *flight,
                         struct lookup_outcome *outcome_out)
{
    flight->waiting++;
    while (!flight->is_done) {
        (void)pthread_cond_wait(&cache->has_landed, &cache->mutex);
    }
    copy_outcome(flight->outcome, outcome_out);
    flight->waiting--;
    (void)pthread_cond_broadcast(&cache->has_landed);
}

/* The slot that has it already, else the one that ends first; free ones have ended. */
static struct slot *slot_for(struct slot *bucket, const struct lookup_key *key)
{
    struct slot *first = &bucket[0];

    for (size_t i = 0; i < SLOTS_PER_BUCKET; i++) {
        if (lookup_is_same(&bucket[i].key, key)) {
            return &bucket[i];
        }
        if (bucket[i].ends_ms < first->ends_ms) {
            first = &bucket[i];
        }
    }
    return first;
}

static void lookup_keep(struct lookup_cache *cache, const struct lookup_key *key,
                        const struct lookup_outcome *outcome)
{
    struct slot *slot = NULL;

    if (outcome->lifetime_ms <= 0) {
        return;
    }
    slot = slot_for(lookup_bucket(cache, key), key);
    clear_slot(slot);
    slot->key = *key;
    slot->since_ms = clock_monotonic_ms(cache->clock);
    slot->ends_ms = slot->since_ms + outcome->lifetime_ms;
    slot->code = outcome->code;
    slot->identity = outcome->identity ? identity_retain(outcome->identity) : NULL;
    if (outcome->code) {
        slot->err = memory_new(1, sizeof(*slot->err));
        *slot->err = outcome->err;
    }
}

/* Also those who waited get what was found, kept or not. */
static void lookup_land(struct lookup_cache *cache, struct flight *flight)
{
    lookup_keep(cache, flight->key, flight->outcome);
    flight->is_done = true;
    list_remove(&flight->node);
    (void)pthread_cond_broadcast(&cache->has_landed);
    while (flight->waiting > 0) {
        (void)pthread_cond_wait(&cache->has_landed, &cache->mutex);
    }
}

/* The mutex is held, but not while the lookup runs. */
static void lookup_run(struct lookup_cache *cache, const struct lookup *lookup,
                       struct lookup_outcome *outcome_out)
{
    struct flight flight = {.key = &lookup->key, .outcome = outcome_out};
    const int64_t begin_us = clock_elapsed_us();

    list_init(&flight.node);
    list_append(&cache->flights, &flight.node);
    (void)pthread_mutex_unlock(&cache->mutex);
    *outcome_out = (struct lookup_outcome){0};
    lookup->run(lookup->context, outcome_out);
    metric_time(cache->metrics, LOOKUP_TIME, clock_elapsed_us() - begin_us);
    (void)pthread_mutex_lock(&cache->mutex);
    lookup_land(cache, &flight);
}

void lookup_cache_get(struct lookup_cache *cache, const struct lookup *lookup,
                      struct lookup_outcome *outcome_out)
{
    struct flight *flight = NULL;
    bool is_known = false;

    (void)pthread_mutex_lock(&cache->mutex);
    is_known = lookup_find(cache, &lookup->key, lookup->age_max_ms, outcome_out);
    metric_add(cache->metrics, is_known ? LOOKUP_HITS : LOOKUP_MISSES, 1);
    if (!is_known) {
        flight = find_flight(cache, &lookup->key);
        if (flight) {
            metric_add(cache->metrics, LOOKUP_SHARED, 1);
            lookup_await(cache, flight, outcome_out);
        } else {
            lookup_run(cache, lookup, outcome_out);
        }
    }
    (void)pthread_mutex_unlock(&cache->mutex);
}

void lookup_outcome_release(struct lookup_outcome *outcome)
{
    identity_release(outcome->identity);
    outcome->identity = NULL;
}
