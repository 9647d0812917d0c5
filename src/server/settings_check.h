#pragma once

#include "server/settings.h"
#include "settings/schema.h"

/* Adds what is wrong with settings that are right each by itself, but not together. */
void settings_check(const struct settings *settings, struct problems *problems);

/* What is allowed and may still be wrong: where clients would send their logins in clear. NULL:
 * nothing. */
const char *settings_warning(const struct settings *settings);

/* Logs that, and that everybody may push where everybody may. */
void settings_warn(const struct settings *settings, struct log *log);
