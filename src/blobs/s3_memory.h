#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

/*
 * The memory that all uploads may take together. A part's whole size is taken before its first byte
 * is, so that whoever has begun a part can end it: nobody waits for memory while holding a part
 * that is not full.
 */
struct s3_memory;

struct s3_memory *s3_memory_new(uint64_t limit_bytes);

/* All must have been given back. NULL is accepted. */
void s3_memory_free(struct s3_memory *memory);

/* Takes so much, at most the limit; waits for it up to timeout_ms. False: in vain. */
MUST_USE bool s3_memory_take(struct s3_memory *memory, uint64_t bytes, int64_t timeout_ms);
void s3_memory_give(struct s3_memory *memory, uint64_t bytes);
