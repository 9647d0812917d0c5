#define __STDC_WANT_LIB_EXT1__ 1 /* memset_s, where there is no explicit_bzero */

#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef __APPLE__
#include <malloc/malloc.h>
#else
#include <malloc.h>
#endif

#include "base/clock.h"

enum { TRIMMING_BYTES = 256 * 1024 };

static void *not_null(void *block, size_t count, size_t size)
{
    if (!block) {
        (void)fprintf(stderr, "out of memory: %zu x %zu bytes\n", count, size);
        abort();
    }
    return block;
}

void *memory_new(size_t count, size_t size)
{
    return not_null(calloc(count, size), count, size);
}

void *memory_resize(void *block, size_t count, size_t size)
{
    const bool is_possible = count > 0 && size > 0 && count <= SIZE_MAX / size;

    return not_null(is_possible ? realloc(block, count * size) : NULL, count, size);
}

void memory_wipe(void *bytes, size_t length)
{
#ifdef __APPLE__
    (void)memset_s(bytes, length, 0, length);
#else
    explicit_bzero(bytes, length);
#endif
}

static size_t size_of(void *block)
{
#ifdef __APPLE__
    return malloc_size(block);
#else
    return malloc_usable_size(block);
#endif
}

void memory_wipe_and_free(void *block)
{
    if (block) {
        memory_wipe(block, size_of(block));
    }
    free(block);
}

/* realloc itself may leave the old copy as it is. */
void *memory_wipe_and_resize(void *block, size_t size)
{
    const size_t old_size = block ? size_of(block) : 0;
    void *copy = malloc(size);

    if (copy && block) {
        memcpy(copy, block, old_size < size ? old_size : size);
        memory_wipe_and_free(block);
    }
    return copy;
}

/* glibc's malloc_trim leaves out what lies at the end of a thread's heap; freeing a block that is
 * not small sees to that. */
void memory_return(void)
{
#ifndef __APPLE__
    /* cppcheck-suppress unusedAllocatedMemory; it is there to be freed */
    void *volatile last = malloc(TRIMMING_BYTES);

    free(last);
    (void)malloc_trim(0);
#endif
}

char *memory_copy_text(const char *text)
{
    return text ? not_null(strdup(text), strlen(text), 1) : NULL;
}

char *memory_new_text(const char *bytes, size_t length)
{
    char *text = memory_new(length + 1, 1);

    if (length > 0) {
        memcpy(text, bytes, length);
    }
    return text;
}

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
