#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/str.h"

/*
 * A growing buffer with a ceiling. `text` is never NULL and always ends in NUL, so it can be
 * printed at any time. Appending beyond the ceiling changes nothing but `is_truncated`, which stays
 * set: a writer appends freely and checks once at its end.
 */
struct strbuf {
    char *text;
    size_t length;
    size_t capacity_bytes; /* 0: text is not owned yet */
    size_t limit_bytes;
    bool is_truncated;
    bool is_secret; /* wiped wherever it was */
};

/* limit_bytes: the most it will ever hold, without the NUL. Allocates nothing yet. */
void strbuf_init(struct strbuf *buf, size_t limit_bytes);

/* As strbuf_init, for a secret: no copy of it is left behind in freed memory. */
void strbuf_init_secret(struct strbuf *buf, size_t limit_bytes);
void strbuf_release(struct strbuf *buf);

/* Empties it and forgets truncation; keeps its memory for reuse. */
void strbuf_clear(struct strbuf *buf);

void strbuf_append(struct strbuf *buf, struct str bytes);
void strbuf_append_text(struct strbuf *buf, const char *text);
void strbuf_append_byte(struct strbuf *buf, char byte);
void strbuf_append_uint64(struct strbuf *buf, uint64_t number);
void strbuf_append_format(struct strbuf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

/* Drops the first `length` bytes, which must be there. */
void strbuf_remove_front(struct strbuf *buf, size_t length);

/* Its memory, which is the caller's to free now: NULL if it holds nothing. It is empty then. */
MUST_USE char *strbuf_take(struct strbuf *buf);

/* What it holds, borrowed until the next change. */
struct str strbuf_str(const struct strbuf *buf);
