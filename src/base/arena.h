#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/str.h"

struct arena_block;

/*
 * Memory that lives as long as a request: allocate freely, release once. Bounded: an allocation
 * beyond the limit gives NULL, which the caller reports as ERROR_TOO_LARGE.
 */
struct arena {
    struct arena_block *newest;
    size_t used_bytes; /* of all blocks together */
    size_t limit_bytes;
    bool is_secret; /* wiped when released */
};

/* Allocates nothing yet. */
void arena_init(struct arena *arena, size_t limit_bytes);
void arena_release(struct arena *arena);

/* Zeroed and aligned for any type, or NULL beyond the limit. */
MUST_USE void *arena_new(struct arena *arena, size_t count, size_t size);

/* A copy that ends in NUL, or NULL beyond the limit. */
MUST_USE char *arena_text(struct arena *arena, struct str s);

/* The same with its length: {NULL, 0} beyond the limit. */
MUST_USE struct str arena_copy(struct arena *arena, struct str s);

/* The printed text, or NULL beyond the limit. */
MUST_USE char *arena_format(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
