#pragma once

#include "base/arena.h"
#include "settings/schema.h"

/* One owner's settings, without those of the others. */

/* Sets them to their defaults; release texts with arena_release. */
void owner_settings_init(const struct settings_table *table, void *values, struct arena *texts);

/* Fails unless this is all that the owner's check finds; empty: nothing is wrong. */
void owner_settings_assert(const struct settings_table *table, const void *values,
                           const char *problem);
