#pragma once

#include <stddef.h>

#include "base/str.h"
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

/*
 * Sets what the sources say, and adds all that is wrong with them to the problems. Looks at no
 * other file than sources->file. Variables that are empty count as not set. Unknown ones that begin
 * with PIERONE_ are problems, but for those that others are known to set: Pier One's client, and
 * Kubernetes for a service of our name.
 */
void settings_read(const struct settings_sources *sources, const struct settings_target *target,
                   struct problems *problems);

/*
 * Sets what a settings file's text says. `name` is the file's, for messages such as
 * `pierone.yaml:3: unknown key "tls.certificat"; did you mean "tls.certificate"?`. Each problem is
 * added, and what is right is set all the same.
 */
void settings_file_apply(const char *name, struct str text, const struct settings_target *target,
                         struct problems *problems);

enum { SETTING_ENVIRONMENT_BYTES = 80 };

/* The name of a setting's environment variable: `tls.key` is PIERONE_TLS_KEY. */
void setting_environment_name(const struct setting *setting,
                              char name_out[SETTING_ENVIRONMENT_BYTES]);
