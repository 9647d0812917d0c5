#pragma once

#include "base/strbuf.h"
#include "settings/schema.h"

/* Far above what the table can fill. */
enum { SETTINGS_DOCUMENT_MAX_BYTES = 1024 * 1024 };

/* Appends the manual: all settings with their meaning, range and default. */
void settings_document_markdown(const struct settings_schema *schema, struct strbuf *buf);

/* Appends the page pieroned.yaml(5), as scdoc(1) reads it: the same for man(1). */
void settings_document_man(const struct settings_schema *schema, struct strbuf *buf);

/*
 * Appends the example: a settings file with all settings commented out. Without the first `#` of
 * each line it is one in which all are set: to their default, or to an example.
 */
void settings_document_yaml(const struct settings_schema *schema, struct strbuf *buf);
