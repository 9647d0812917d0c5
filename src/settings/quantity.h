#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/str.h"

/*
 * Sizes and durations as people write them. Sizes: `65536`, `64K` or `64KiB`, up to T, always
 * powers of 1024; `KB` is refused since nobody knows which it is. Durations: `500ms`, `75s`, `5m`,
 * `24h`, `7d`; a bare number is refused unless it is 0.
 */
MUST_USE bool size_parse(struct str text, uint64_t *bytes_out);
MUST_USE bool duration_parse(struct str text, uint64_t *ms_out);

enum { QUANTITY_TEXT_BYTES = 32 };

/* In the largest unit that needs no fraction, as the functions above read it. */
void size_format(uint64_t bytes, char text_out[QUANTITY_TEXT_BYTES]);
void duration_format(uint64_t ms, char text_out[QUANTITY_TEXT_BYTES]);
