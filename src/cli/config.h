#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

/* The variables of a process: passed, so that tests need not set their own. */
struct environment {
    char *const *entries; /* as `environ`: `NAME=value`, NULL behind the last */
};

/* The value; NULL if it is not set or empty. Borrowed. */
const char *environment_get(const struct environment *environment, const char *name);

/* A value, so that tests can try both. */
#ifdef __APPLE__
static const bool platform_is_macos = true;
#else
static const bool platform_is_macos = false;
#endif

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

/* Where a registry is. Texts are in the arena. */
struct registry_url {
    const char *url;  /* `https://host[:port]`, without a slash at its end */
    const char *host; /* `host[:port]`: what docker knows it by */
    bool has_path;    /* there was more behind the host than a slash */
};

enum { REGISTRY_URL_MAX_BYTES = 300 };

/*
 * Reads `host`, `host:port` (https then), `http://host…` or `https://host…`; a path is cut off,
 * and told. Hosts are lower case. ERROR_INVALID says what is wrong.
 */
MUST_USE enum error_code registry_url_parse(struct str text, struct arena *arena,
                                            struct registry_url *url_out, struct error *err);

/* The `url` of the configuration (YAML; other keys do not matter), NULL if there is none. In the
 * arena. ERROR_INVALID: the file cannot be read, or is no YAML. */
MUST_USE enum error_code config_file_read(const struct paths *paths, struct arena *arena,
                                          const char **url_out, struct error *err);

/* Adds `url`, which the file does not have yet, and keeps what it has. */
MUST_USE enum error_code config_file_add_url(const struct paths *paths, const char *url,
                                             struct error *err);
