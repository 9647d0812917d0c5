#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *not_null(void *block, size_t count, size_t size);

void *memory_new(size_t count, size_t size)
{
    return not_null(calloc(count, size), count, size);
}

void *memory_resize(void *block, size_t count, size_t size)
{
    return not_null(reallocarray(block, count, size), count, size);
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
