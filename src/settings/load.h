#pragma once

#include <stddef.h>

#include "settings/problems.h"
#include "settings/schema.h"

/* A value from the command line. */
struct settings_override {
    const char *key;
    const char *flag; /* for messages, without its dashes */
    const char *value;
};

/* Where values come from; later ones win. All is borrowed. */
struct settings_sources {
    const char *file;         /* YAML; NULL: none */
    char *const *environment; /* as `environ`; NULL: none */
    const struct settings_override *overrides;
    size_t override_count;
};

enum { SETTINGS_FILE_MAX_BYTES = 1024 * 1024 };

void settings_set_defaults(const struct settings_target *target);

/* Sets what the sources say, and adds all that is wrong with them to the problems. Looks at no
 * other file than sources->file. */
void settings_read(const struct settings_sources *sources, const struct settings_target *target,
                   struct problems *problems);
