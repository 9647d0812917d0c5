#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "server/settings.h"
#include "server/settings_table.h"

/*
 * Reads a setting's text into its field. ERROR_INVALID: err says what is wrong with the text and
 * what would be right, but not where it came from.
 */
MUST_USE enum error_code setting_value_set(const struct setting *setting, struct str text,
                                           struct settings *settings, struct error *err);

/* Appends the field as text that setting_value_set reads; nothing if it is not set. */
void setting_value_append(const struct setting *setting, const struct settings *settings,
                          struct strbuf *buf);

/* Appends what values are allowed: `4KiB to 1MiB`, `auto, text or json`; nothing if any. */
void setting_range_append(const struct setting *setting, struct strbuf *buf);

/* What kind of value it takes, for people: "size", "duration", … */
const char *setting_type_name(enum setting_type type);
