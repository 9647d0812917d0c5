#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/identity.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/keyed_hash.h"
#include "base/metrics.h"

/*
 * What others were asked, for as long as it counts. Bounded: when it is full, what would end first
 * makes room. Those who ask for the same at the same time wait for one lookup.
 */
struct lookup_cache;

struct lookup_key {
    uint8_t bytes[KEYED_HASH_BYTES];
};

/* What a lookup came to: well, with an identity if it was about one, or with an error. */
struct lookup_outcome {
    enum error_code code;
    struct error err;
    struct identity *identity; /* a reference, or NULL */
    int64_t lifetime_ms;       /* from now on; 0: not to be kept */
};

/* A question. run may block, for a bounded time. What is known and older than age_max_ms is asked
 * again; 0: all that is kept counts. */
struct lookup {
    struct lookup_key key;
    void (*run)(void *context, struct lookup_outcome *outcome_out);
    void *context;
    int64_t age_max_ms;
};

/* What was found and what was not is counted under that name (NULL without metrics). */
struct lookup_cache *lookup_cache_new(size_t entries, const struct clock *clock, const char *name,
                                      struct metrics *metrics);

/* Nobody may be using it. NULL is accepted. */
void lookup_cache_free(struct lookup_cache *cache);

/* What is known; false if nothing is. Never waits. Release the outcome. */
bool lookup_cache_find(struct lookup_cache *cache, const struct lookup_key *key,
                       struct lookup_outcome *outcome_out);

/* What is known; else runs the lookup, or waits for the one that is running. Release the outcome.
 */
void lookup_cache_get(struct lookup_cache *cache, const struct lookup *lookup,
                      struct lookup_outcome *outcome_out);

void lookup_outcome_release(struct lookup_outcome *outcome);
