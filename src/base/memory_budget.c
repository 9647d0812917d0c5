#include "base/memory_budget.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"

struct memory_budget {
    pthread_mutex_t left_mutex; /* guards left_bytes */
    pthread_cond_t is_more_left;
    uint64_t limit_bytes;
    uint64_t left_bytes;
};

struct memory_budget *memory_budget_new(uint64_t limit_bytes)
{
    struct memory_budget *memory = memory_new(1, sizeof(*memory));
    pthread_condattr_t attributes;

    memory->limit_bytes = limit_bytes;
    memory->left_bytes = limit_bytes;
    (void)pthread_mutex_init(&memory->left_mutex, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&memory->is_more_left, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return memory;
}

void memory_budget_free(struct memory_budget *memory)
{
    if (!memory) {
        return;
    }
    assert(memory->left_bytes == memory->limit_bytes);
    (void)pthread_cond_destroy(&memory->is_more_left);
    (void)pthread_mutex_destroy(&memory->left_mutex);
    free(memory);
}

bool memory_budget_take(struct memory_budget *memory, uint64_t bytes, int64_t timeout_ms)
{
    const struct timespec deadline = clock_timespec(clock_monotonic_ms(&clock_system) + timeout_ms);
    bool is_taken = false;
    int result = 0;

    assert(bytes <= memory->limit_bytes);
    (void)pthread_mutex_lock(&memory->left_mutex);
    while (memory->left_bytes < bytes && result != ETIMEDOUT) {
        result = pthread_cond_timedwait(&memory->is_more_left, &memory->left_mutex, &deadline);
    }
    is_taken = memory->left_bytes >= bytes;
    memory->left_bytes -= is_taken ? bytes : 0;
    (void)pthread_mutex_unlock(&memory->left_mutex);
    return is_taken;
}

void memory_budget_give(struct memory_budget *memory, uint64_t bytes)
{
    (void)pthread_mutex_lock(&memory->left_mutex);
    memory->left_bytes += bytes;
    assert(memory->left_bytes <= memory->limit_bytes);
    (void)pthread_cond_broadcast(&memory->is_more_left);
    (void)pthread_mutex_unlock(&memory->left_mutex);
}
