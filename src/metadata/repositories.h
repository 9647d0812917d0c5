#pragma once

#include "metadata/tags.h"

/* All repositories that hold a manifest, by name. */
MUST_USE enum error_code metadata_list_repositories(struct metadata *metadata,
                                                    const struct name_query *query,
                                                    struct name_page *page_out, struct error *err);

/* Whether anything was ever pushed to it. */
MUST_USE enum error_code metadata_has_repository(struct metadata *metadata, struct str repository,
                                                 bool *is_there_out, struct error *err);

/* Teams that hold a repository: what stands before the first slash of its name. In the order of the
 * repositories' names: `a-b` before `a`. */
MUST_USE enum error_code metadata_list_teams(struct metadata *metadata,
                                             const struct name_query *query,
                                             struct name_page *page_out, struct error *err);

/* Artifacts of a team (the query's `repository`): what stands behind that slash. An unknown team
 * has none. */
MUST_USE enum error_code metadata_list_artifacts(struct metadata *metadata,
                                                 const struct name_query *query,
                                                 struct name_page *page_out, struct error *err);

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
