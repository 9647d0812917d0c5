#pragma once

#include "metadata/repositories.h"
#include "metadata/tags.h"
#include "registry/reference.h"
#include "registry/registry.h"

/* Tags of the repository (not the query's) in byte order. ERROR_NOT_FOUND about NAME. */
MUST_USE enum error_code registry_list_tags(struct registry *registry,
                                            const struct repository *repository,
                                            const struct name_query *query,
                                            struct name_page *page_out, struct error *err);

/* Repository names in byte order. */
MUST_USE enum error_code registry_list_repositories(struct registry *registry,
                                                    const struct name_query *query,
                                                    struct name_page *page_out, struct error *err);
