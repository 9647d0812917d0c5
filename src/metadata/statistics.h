#pragma once

#include "base/error.h"
#include "base/str.h"
#include "metadata/metadata.h"

/* What the registry holds. Summed at each push, so that asking costs nobody anything. */
struct registry_statistics {
    uint64_t teams;
    uint64_t storage_bytes; /* of all blobs and manifests that were pushed, each once */
};

MUST_USE enum error_code metadata_count_all(struct metadata *metadata,
                                            struct registry_statistics *statistics_out,
                                            struct error *err);

struct team_statistics {
    uint64_t artifacts;
    uint64_t tags; /* without signatures */
};

/* Of an unknown team: nothing. */
MUST_USE enum error_code metadata_count_team(struct metadata *metadata, struct str team,
                                             struct team_statistics *statistics_out,
                                             struct error *err);
