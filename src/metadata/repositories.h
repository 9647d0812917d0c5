#pragma once

#include "metadata/tags.h"

/* All repositories that hold a manifest, by name. */
MUST_USE enum error_code metadata_list_repositories(struct metadata *metadata,
                                                    const struct name_query *query,
                                                    struct name_page *page_out, struct error *err);

/* Whether anything was ever pushed to it. */
MUST_USE enum error_code metadata_has_repository(struct metadata *metadata, struct str repository,
                                                 bool *is_there_out, struct error *err);
