#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

/*
 * Zeroed memory, or the end of the process with a message: an allocation of a size that our limits
 * allow fails only when the machine is beyond help. Sizes that come from outside are checked
 * against a limit before they get here. Free with free().
 */
MUST_USE void *memory_new(size_t count, size_t size);

/* As realloc, with the same promise; to at least one byte. */
MUST_USE void *memory_resize(void *block, size_t count, size_t size);

/* Zeroes memory that held a secret, for good. */
void memory_wipe(void *bytes, size_t length);

/*
 * As free and realloc (NULL: no memory), for libraries that keep copies of secrets and let others
 * allocate for them: what is given back is wiped.
 */
void memory_wipe_and_free(void *block);
MUST_USE void *memory_wipe_and_resize(void *block, size_t size);

/* Gives the system what was freed: after much of it in small blocks, between which others lie. */
void memory_return(void);

/* A copy of text with its NUL; the caller frees it. NULL gives NULL. */
MUST_USE char *memory_copy_text(const char *text);

/* The same of so many bytes, with a NUL behind them. */
MUST_USE char *memory_new_text(const char *bytes, size_t length);

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
