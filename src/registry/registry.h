#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "blobs/blob_store.h"
#include "metadata/metadata.h"
#include "metadata/repositories.h"
#include "metadata/sources.h"
#include "metadata/tags.h"
#include "registry/reference.h"
#include "registry/registry_settings.h"

/*
 * The use cases of a registry: what may be pushed, what a tag means, what is there. Knows neither
 * HTTP nor SQL. What is in it is told here, in pages; the other functions are in blobs.h,
 * uploads.h, manifests.h and scm_source.h of this folder; all of them may block. One handle serves
 * many threads.
 */
struct registry;

struct registry_config {
    struct metadata *metadata; /* not owned */
    struct blob_store *blobs;  /* not owned */
    const struct clock *clock;
    struct free_space *free_space; /* what pushes leave alone; not owned, NULL: nothing */
    struct registry_settings settings;
    struct metrics *metrics; /* not owned; NULL: nothing is counted */
};

struct registry *registry_new(const struct registry_config *config);

/* NULL is accepted. */
void registry_free(struct registry *registry);

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

/* See metadata_list_image_tags; the prefix may come with or without `sha256:`. ERROR_INVALID about
 * IMAGE if it cannot be one. */
MUST_USE enum error_code registry_list_image_tags(struct registry *registry,
                                                  const struct image_query *query,
                                                  struct image_tag_list *list_out,
                                                  struct error *err);

MUST_USE enum error_code registry_count_all(struct registry *registry,
                                            struct registry_statistics *statistics_out,
                                            struct error *err);
MUST_USE enum error_code registry_count_team(struct registry *registry, struct str team,
                                             struct team_statistics *statistics_out,
                                             struct error *err);
