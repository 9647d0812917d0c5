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

/* Teams that hold a repository, and a team's (the query's `repository`) artifacts. */
MUST_USE enum error_code registry_list_teams(struct registry *registry,
                                             const struct name_query *query,
                                             struct name_page *page_out, struct error *err);
MUST_USE enum error_code registry_list_artifacts(struct registry *registry,
                                                 const struct name_query *query,
                                                 struct name_page *page_out, struct error *err);

/* Tags with what is known of their manifests, oldest first, without signatures. ERROR_NOT_FOUND
 * about NAME. */
MUST_USE enum error_code registry_list_tag_details(struct registry *registry,
                                                   const struct tag_detail_query *query,
                                                   struct tag_detail_page *page_out,
                                                   struct error *err);

/* What became of a tag, oldest first. ERROR_NOT_FOUND about TAG if it never was. */
MUST_USE enum error_code registry_list_tag_changes(struct registry *registry,
                                                   const struct tag_history_query *query,
                                                   struct tag_history *history_out,
                                                   struct error *err);

/* One tag; `latest` is the newest that can be run. ERROR_NOT_FOUND about TAG. */
MUST_USE enum error_code registry_find_tag_detail(struct registry *registry,
                                                  const struct repository *repository,
                                                  struct str name, struct arena *arena,
                                                  struct tag_detail *tag_out, struct error *err);
