#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

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
