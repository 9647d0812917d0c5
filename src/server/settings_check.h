#pragma once

#include "server/problems.h"
#include "server/settings.h"

/* Adds what is wrong with settings that are right each by itself, but not together. */
void settings_check(const struct settings *settings, struct problems *problems);
