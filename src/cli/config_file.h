#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "cli/paths.h"

/* The `url` of the configuration (YAML; other keys do not matter), NULL if there is none. In the
 * arena. ERROR_INVALID: the file cannot be read, or is no YAML. */
MUST_USE enum error_code config_file_read(const struct paths *paths, struct arena *arena,
                                          const char **url_out, struct error *err);

/* Adds `url`, which the file does not have yet, and keeps what it has. */
MUST_USE enum error_code config_file_add_url(const struct paths *paths, const char *url,
                                             struct error *err);
