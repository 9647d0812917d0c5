#include "auth/oidc_keys.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/memory.h"

enum { MS_PER_S = 1000 };

struct oidc_keys {
    struct oidc_place place;
    const struct clock *clock;

    pthread_mutex_t state_mutex; /* guards all below */
    pthread_cond_t is_fetched;
    bool is_fetching;
    unsigned long attempts;    /* that are over */
    int64_t last_ms;           /* when the last one ended, monotonic */
    enum error_code last_code; /* how it ended, and why */
    struct error last_error;
    struct key_set *set; /* NULL: none yet */
    int64_t expires_ms;  /* of set, monotonic */
};

static int64_t now_ms(const struct oidc_keys *keys);
static bool may_fetch(const struct oidc_keys *keys);
static void fetch_or_wait(struct oidc_keys *keys);
static void wait_for_fetch(struct oidc_keys *keys);
static void fetch_unlocked(struct oidc_keys *keys);
static void store(struct oidc_keys *keys, const struct oidc_fetched *fetched);
static int64_t lifetime_ms(int64_t max_age_s);
static enum error_code tell_failure(const struct oidc_keys *keys, struct error *err);

struct oidc_keys *oidc_keys_new(const struct oidc_place *place, const struct clock *clock)
{
    struct oidc_keys *keys = memory_new(1, sizeof(*keys));

    keys->place = *place;
    keys->clock = clock;
    (void)pthread_mutex_init(&keys->state_mutex, NULL);
    (void)pthread_cond_init(&keys->is_fetched, NULL);
    return keys;
}

void oidc_keys_free(struct oidc_keys *keys)
{
    if (!keys) {
        return;
    }
    key_set_release(keys->set);
    (void)pthread_cond_destroy(&keys->is_fetched);
    (void)pthread_mutex_destroy(&keys->state_mutex);
    free(keys);
}

enum error_code oidc_keys_get(struct oidc_keys *keys, struct key_set **set_out, struct error *err)
{
    enum error_code code = OK;

    (void)pthread_mutex_lock(&keys->state_mutex);
    if (!keys->set) {
        fetch_or_wait(keys);
    } else if (now_ms(keys) >= keys->expires_ms && !keys->is_fetching && may_fetch(keys)) {
        fetch_unlocked(keys);
    }
    if (keys->set) {
        *set_out = key_set_retain(keys->set);
    } else {
        code = tell_failure(keys, err);
    }
    (void)pthread_mutex_unlock(&keys->state_mutex);
    return code;
}

static int64_t now_ms(const struct oidc_keys *keys)
{
    return clock_monotonic_ms(keys->clock);
}

static bool may_fetch(const struct oidc_keys *keys)
{
    return keys->attempts == 0 || now_ms(keys) - keys->last_ms >= OIDC_PAUSE_MS;
}

static void fetch_or_wait(struct oidc_keys *keys)
{
    if (keys->is_fetching) {
        wait_for_fetch(keys);
    } else if (may_fetch(keys)) {
        fetch_unlocked(keys);
    }
}

/* Ends when the two requests of oidc_fetch_keys do, each of which has the client's timeout. */
static void wait_for_fetch(struct oidc_keys *keys)
{
    const unsigned long attempts = keys->attempts;

    while (keys->attempts == attempts) {
        (void)pthread_cond_wait(&keys->is_fetched, &keys->state_mutex);
    }
}

/* Gives the mutex away while it fetches. */
static void fetch_unlocked(struct oidc_keys *keys)
{
    struct oidc_fetched fetched = {0};
    struct error err = {0};
    enum error_code code = OK;

    keys->is_fetching = true;
    (void)pthread_mutex_unlock(&keys->state_mutex);
    code = oidc_fetch_keys(&keys->place, &fetched, &err);
    (void)pthread_mutex_lock(&keys->state_mutex);
    keys->is_fetching = false;
    keys->attempts++;
    keys->last_ms = now_ms(keys);
    keys->last_code = code;
    keys->last_error = err;
    store(keys, &fetched);
    (void)pthread_cond_broadcast(&keys->is_fetched);
}

/* What is known goes on counting while nothing newer can be had, and is not asked for at once. */
static void store(struct oidc_keys *keys, const struct oidc_fetched *fetched)
{
    if (!fetched->keys) {
        keys->expires_ms = keys->last_ms + lifetime_ms(0);
        return;
    }
    key_set_release(keys->set);
    keys->set = fetched->keys;
    keys->expires_ms = keys->last_ms + lifetime_ms(fetched->max_age_s);
}

static int64_t lifetime_ms(int64_t max_age_s)
{
    int64_t lifetime_s = max_age_s < 0 ? OIDC_AGE_DEFAULT_S : max_age_s;

    if (lifetime_s < OIDC_AGE_MIN_S) {
        lifetime_s = OIDC_AGE_MIN_S;
    }
    return (lifetime_s > OIDC_AGE_MAX_S ? OIDC_AGE_MAX_S : lifetime_s) * MS_PER_S;
}

static enum error_code tell_failure(const struct oidc_keys *keys, struct error *err)
{
    return error_set(err, keys->last_code, "%s", keys->last_error.message);
}

enum error_code oidc_keys_get_newer(struct oidc_keys *keys, const struct key_set *known,
                                    struct key_set **set_out, struct error *err)
{
    enum error_code code = OK;

    (void)pthread_mutex_lock(&keys->state_mutex);
    if (keys->set == known) {
        fetch_or_wait(keys);
    }
    if (keys->set != known) {
        *set_out = key_set_retain(keys->set);
    } else {
        code = keys->last_code ? tell_failure(keys, err) : ERROR_NOT_FOUND;
    }
    (void)pthread_mutex_unlock(&keys->state_mutex);
    return code;
}
