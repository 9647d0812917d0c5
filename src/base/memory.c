#define __STDC_WANT_LIB_EXT1__ 1 /* memset_s, where there is no explicit_bzero */

#include "base/memory.h"

#ifdef __APPLE__
#include <malloc/malloc.h>
#else
#include <malloc.h>
#endif
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIMMING_BYTES = 256 * 1024 };

static void *not_null(void *block, size_t count, size_t size);
static size_t size_of(void *block);

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

void memory_wipe_and_free(void *block)
{
    if (block) {
        memory_wipe(block, size_of(block));
    }
    free(block);
}

static size_t size_of(void *block)
{
#ifdef __APPLE__
    return malloc_size(block);
#else
    return malloc_usable_size(block);
#endif
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

static void *not_null(void *block, size_t count, size_t size)
{
    if (!block) {
        (void)fprintf(stderr, "out of memory: %zu x %zu bytes\n", count, size);
        abort();
    }
    return block;
}
