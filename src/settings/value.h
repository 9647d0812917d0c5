#pragma once

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
