#pragma once

#include "settings/problems.h"
#include "settings/schema.h"

enum { SETTING_ENVIRONMENT_BYTES = 80 };

/* The name of a setting's environment variable: `tls.key` is PIERONE_TLS_KEY. */
void setting_environment_name(const struct setting *setting,
                              char name_out[SETTING_ENVIRONMENT_BYTES]);

/* Before anything else is read: what other programs of the machine go by, too. */
void settings_environment_defaults(char *const *environment, const struct settings_target *target,
                                   struct problems *problems);

/*
 * Sets what variables of the environment say, whose form is that of `environ`. Empty ones count as
 * not set. Unknown ones that begin with PIERONE_ are problems, but for those that others are known
 * to set: Pier One's client, and Kubernetes for a service of our name.
 */
void settings_environment_apply(char *const *environment, const struct settings_target *target,
                                struct problems *problems);

/* What a variable says; empty if it is not set. */
struct str settings_environment_find(char *const *environment, const char *name);
