#pragma once

#include "metadata/tags.h"

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
