#pragma once

#include "base/attributes.h"

/*
 * `pieroned migrate`: moves a registry to another database, another storage, or both. argv[0] is
 * the command's own name. Takes no settings from the environment: they would be those of both
 * sides. The exit status: 0 when all has been moved and compared; 1 when not, with what to do; 2
 * for wrong usage.
 */
MUST_USE int migrate_command_run(int argc, char *const argv[]);
