#include "base/chores.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"

struct chores {
    const struct clock *clock;
    struct chore list[CHORES_MAX];
    int64_t due_ms[CHORES_MAX]; /* monotonic */
    size_t count;
    pthread_t thread;
    pthread_mutex_t end_mutex; /* guards is_ending */
    pthread_cond_t has_end;
    bool is_ending;
};

static size_t find_next(const struct chores *chores)
{
    size_t next = 0;

    for (size_t i = 1; i < chores->count; i++) {
        next = chores->due_ms[i] < chores->due_ms[next] ? i : next;
    }
    return next;
}

/* False once it is to end. */
static bool wait_until(struct chores *chores, int64_t due_ms)
{
    const struct timespec due = clock_timespec(due_ms);
    bool is_ending = false;

    (void)pthread_mutex_lock(&chores->end_mutex);
    while (!chores->is_ending && clock_monotonic_ms(chores->clock) < due_ms) {
        (void)pthread_cond_timedwait(&chores->has_end, &chores->end_mutex, &due);
    }
    is_ending = chores->is_ending;
    (void)pthread_mutex_unlock(&chores->end_mutex);
    return !is_ending;
}

static void *run_when_due(void *context)
{
    struct chores *chores = context;
    size_t next = find_next(chores);

    while (wait_until(chores, chores->due_ms[next])) {
        const struct chore *chore = &chores->list[next];
        const int64_t again_ms = chore->run(chore->context);

        chores->due_ms[next] = clock_monotonic_ms(chores->clock) + again_ms;
        next = find_next(chores);
    }
    return NULL;
}

static void chores_release(struct chores *chores)
{
    (void)pthread_cond_destroy(&chores->has_end);
    (void)pthread_mutex_destroy(&chores->end_mutex);
    free(chores);
}

static enum error_code start_thread(struct chores *chores, struct error *err)
{
    if (pthread_create(&chores->thread, NULL, run_when_due, chores) == 0) {
        return OK;
    }
    chores_release(chores);
    return error_set(err, ERROR_UNAVAILABLE,
                     "cannot start the thread for what is done again and again");
}

enum error_code chores_start(const struct chore *list, size_t count, const struct clock *clock,
                             struct chores **chores_out, struct error *err)
{
    struct chores *chores = memory_new(1, sizeof(*chores));
    pthread_condattr_t attributes;
    enum error_code code = OK;

    assert(count > 0 && count <= CHORES_MAX);
    memcpy(chores->list, list, count * sizeof(*list));
    chores->count = count;
    chores->clock = clock;
    for (size_t i = 0; i < count; i++) {
        chores->due_ms[i] = clock_monotonic_ms(clock) + list[i].after_ms;
    }
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&chores->has_end, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&chores->end_mutex, NULL);
    code = start_thread(chores, err);
    if (!code) {
        *chores_out = chores;
    }
    return code;
}

void chores_end(struct chores *chores)
{
    if (chores) {
        (void)pthread_mutex_lock(&chores->end_mutex);
        chores->is_ending = true;
        (void)pthread_cond_signal(&chores->has_end);
        (void)pthread_mutex_unlock(&chores->end_mutex);
        (void)pthread_join(chores->thread, NULL);
        chores_release(chores);
    }
}
