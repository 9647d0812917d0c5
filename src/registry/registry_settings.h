#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metadata/uploads.h"
#include "settings/schema.h"

/* The most that may be unfinished at once; 0: any number. */
struct upload_limits {
    struct upload_sum of_identity;
    struct upload_sum of_team;
};

/* Whether signature tags may be replaced by supersets. */
enum signature_choice { SIGNATURES_IMMUTABLE = 0, SIGNATURES_GROW };

/* Of limits.*, what concerns pushes and pulls whoever brings them; and tags.*. */
struct registry_settings {
    size_t manifest_max_bytes;
    size_t cache_bytes; /* for what is asked for again (content_cache.h); 0: nothing is kept */
    int64_t upload_lifetime_ms; /* an upload that rests longer is discarded */
    int64_t upload_age_ms;      /* one that began longer ago is no more gone on with */
    struct upload_limits upload_limits;
    uint64_t free_space_bytes; /* what pushes leave alone */
    bool snapshots_move;       /* tags ending in -SNAPSHOT may move */
    enum signature_choice signatures;
};

extern const struct settings_table registry_settings_table;
