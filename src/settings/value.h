#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/error.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "settings/schema.h"

/*
 * Reads a setting's text into its field. ERROR_INVALID: err says what is wrong with the text and
 * what would be right, but not where it came from.
 */
MUST_USE enum error_code setting_value_set(const struct setting *setting, struct str text,
                                           const struct settings_target *target, struct error *err);

/* The message for a text that a row's own check does not take: the text, quoted, and the reason. */
enum error_code setting_value_refuse(struct str text, struct error *err, const char *reason);

/* Appends the field as text that setting_value_set reads; nothing if it is not set. */
void setting_value_append(const struct setting *setting, const void *values, struct strbuf *buf);

/* Appends what values are allowed: `4KiB to 1MiB`, `auto, text or json`; nothing if any. */
void setting_range_append(const struct setting *setting, struct strbuf *buf);

/* What kind of value it takes, for people: "size", "duration", … */
const char *setting_type_name(enum setting_type type);

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
