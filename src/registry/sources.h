#pragma once

#include "metadata/repositories.h"
#include "metadata/sources.h"
#include "metadata/tags.h"
#include "registry/reference.h"
#include "registry/registry.h"

/* What a tag was built from. ERROR_NOT_FOUND about TAG, or about SOURCE if nobody says. `latest` is
 * the newest tag. */
MUST_USE enum error_code registry_find_scm_source(struct registry *registry,
                                                  const struct repository *repository,
                                                  struct str tag, struct arena *arena,
                                                  struct scm_record *record_out, struct error *err);

/* A release: which tag, what for, and who says so. */
struct release {
    const struct repository *repository;
    struct str tag;
    struct str incident_id;
    struct actor identity;
    struct arena *arena;
};

/* Marks a tag as ready for production, for ever. ERROR_NOT_FOUND about TAG; ERROR_INVALID about
 * SOURCE if nobody says what it was built from; ERROR_CONFLICT if it is marked. */
MUST_USE enum error_code registry_mark_production_ready(struct registry *registry,
                                                        const struct release *release,
                                                        struct error *err);

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
