#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "cli/environment.h"

/* Where the client keeps its files. None of them need exist. Texts are in the arena. */
struct paths {
    const char *config;       /* the registry's address: written, and read */
    const char *other_config; /* … read, if that is not there */
    const char *logins;       /* who is logged in where: tokens */
    const char *docker_config;
    const char *dockercfg; /* of Docker before 1.7 */
};

/*
 * `~/.config/pierone.yaml` and the like (XDG Base Directory Specification: XDG_CONFIG_HOME), on
 * macOS below `~/Library/Application Support/pierone`; Docker's below DOCKER_CONFIG. ERROR_INVALID:
 * HOME is not set and the user has none.
 */
MUST_USE enum error_code paths_find(const struct environment *environment, bool is_macos,
                                    struct arena *arena, struct paths *paths_out,
                                    struct error *err);
