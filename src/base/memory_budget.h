#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

/*
 * The memory that many may take together. Whoever takes all that it needs at once, before it
 * begins, can end what it began: nobody waits for memory while holding some.
 */
struct memory_budget;

struct memory_budget *memory_budget_new(uint64_t limit_bytes);

/* All must have been given back. NULL is accepted. */
void memory_budget_free(struct memory_budget *memory);

/* Takes so much, at most the limit; waits for it up to timeout_ms. False: in vain. */
MUST_USE bool memory_budget_take(struct memory_budget *memory, uint64_t bytes, int64_t timeout_ms);
void memory_budget_give(struct memory_budget *memory, uint64_t bytes);
