#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { BLOCK_BYTES = 4096 - 64 };

struct arena_block {
    struct arena_block *older;
    size_t used_bytes;
    size_t capacity_bytes;
    alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *arena, size_t limit_bytes)
{
    *arena = (struct arena){.limit_bytes = limit_bytes};
}

void arena_release(struct arena *arena)
{
    struct arena_block *older = NULL;

    for (struct arena_block *block = arena->newest; block; block = older) {
        older = block->older;
        if (arena->is_secret) {
            memory_wipe(block->bytes, block->used_bytes);
        }
        free(block);
    }
    arena_init(arena, arena->limit_bytes);
}

static size_t round_up(size_t size_bytes)
{
    const size_t alignment = alignof(max_align_t);

    return (size_bytes + alignment - 1) / alignment * alignment;
}

static char *arena_take(struct arena_block *block, size_t size_bytes)
{
    char *taken = block->bytes + block->used_bytes;

    block->used_bytes += size_bytes;
    memset(taken, 0, size_bytes);
    return taken;
}

static struct arena_block *add_block(struct arena *arena, size_t size_bytes)
{
    const size_t capacity = size_bytes > BLOCK_BYTES ? size_bytes : BLOCK_BYTES;
    struct arena_block *block = memory_resize(NULL, 1, sizeof(*block) + capacity);

    block->older = arena->newest;
    block->used_bytes = 0;
    block->capacity_bytes = capacity;
    arena->newest = block;
    return block;
}

void *arena_new(struct arena *arena, size_t count, size_t size)
{
    size_t size_bytes = 0;

    if (__builtin_mul_overflow(count, size, &size_bytes) || size_bytes > arena->limit_bytes) {
        return NULL;
    }
    size_bytes = round_up(size_bytes);
    if (size_bytes > arena->limit_bytes - arena->used_bytes) {
        return NULL;
    }
    arena->used_bytes += size_bytes;
    if (!arena->newest || size_bytes > arena->newest->capacity_bytes - arena->newest->used_bytes) {
        return arena_take(add_block(arena, size_bytes), size_bytes);
    }
    return arena_take(arena->newest, size_bytes);
}

char *arena_text(struct arena *arena, struct str s)
{
    char *copy = s.length == SIZE_MAX ? NULL : arena_new(arena, s.length + 1, 1);

    if (copy && s.length > 0) {
        memcpy(copy, s.bytes, s.length);
    }
    return copy;
}

struct str arena_copy(struct arena *arena, struct str s)
{
    const char *const copy = arena_text(arena, s);

    return copy ? (struct str){copy, s.length} : (struct str){0};
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list values;
    int length;
    char *text;

    va_start(values, format);
    length = vsnprintf(NULL, 0, format, values);
    va_end(values);
    text = length < 0 ? NULL : arena_new(arena, (size_t)length + 1, 1);
    if (text) {
        va_start(values, format);
        (void)vsnprintf(text, (size_t)length + 1, format, values);
        va_end(values);
    }
    return text;
}
