#pragma once

#include "base/arena.h"
#include "metadata/sources.h"
#include "registry/reference.h"
#include "registry/registry.h"

enum { SCM_SOURCE_MAX_BYTES = 64 * 1024 };

/*
 * Reads what an image was built from: a JSON object with the strings `url` and `revision`, neither
 * of them empty, and `author` and `status`, which may be missing; other members do not matter,
 * unless their names differ from these in case only.
 * ERROR_INVALID about SOURCE says what is wrong. The strings are in the arena.
 */
MUST_USE enum error_code scm_source_parse(struct str json, struct arena *arena,
                                          struct scm_source *source_out, struct error *err);

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
