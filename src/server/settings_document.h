#pragma once

#include "base/strbuf.h"

/* Far above what the table can fill. */
enum { SETTINGS_DOCUMENT_MAX_BYTES = 1024 * 1024 };

/* Appends docs/configuration.md: all settings with their meaning, range and default. */
void settings_document_markdown(struct strbuf *buf);

/*
 * Appends docs/pieroned.example.yaml: a settings file with all settings commented out. Without the
 * first `#` of each line it is one in which all are set: to their default, or to an example.
 */
void settings_document_yaml(struct strbuf *buf);
