#pragma once

#include "metadata/repositories.h"
#include "metadata/tags.h"
#include "registry/reference.h"
#include "registry/registry.h"

/* Tags in byte order behind `after`. ERROR_NOT_FOUND about NAME: no such repository. */
MUST_USE enum error_code registry_list_tags(struct registry *registry,
                                            const struct repository *repository, struct str after,
                                            size_t limit, struct arena *arena,
                                            struct name_page *page_out, struct error *err);

/* Repository names in byte order behind `after`. */
MUST_USE enum error_code registry_list_repositories(struct registry *registry, struct str after,
                                                    size_t limit, struct arena *arena,
                                                    struct name_page *page_out, struct error *err);
