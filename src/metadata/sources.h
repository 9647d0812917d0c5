#pragma once

#include "base/arena.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/str.h"
#include "metadata/metadata.h"

enum { SCM_SOURCE_FIELD_BYTES = 4096 }; /* the longest value of one of its fields */

/* Where an image was built from, as somebody says. All four may be empty, but for the url. */
struct scm_source {
    struct str url;
    struct str revision;
    struct str author;
    struct str status; /* of the work tree: what `git status --porcelain` said */
};

enum scm_origin {
    SCM_OF_LAYER = 0, /* a file in the image says it */
    SCM_OF_PUSHER,    /* whoever pushed says it, and may */
};

struct scm_claim {
    struct scm_source source;
    enum scm_origin origin;
};

struct scm_record {
    struct scm_source source;
    int64_t created_ms;
};

/* A tag at a digest: what is said of a tag ends when it moves. */
struct tag_place {
    struct str repository;
    struct str tag;
    struct digest digest;
};

/* The newest claim. ERROR_NOT_FOUND about SOURCE if there is none. */
MUST_USE enum error_code metadata_find_scm_source(struct metadata *metadata,
                                                  const struct tag_place *place,
                                                  struct arena *arena,
                                                  struct scm_record *record_out, struct error *err);

struct release_mark {
    struct str incident_id;
    struct actor marked_by;
    int64_t marked_ms;
};

/* Marks a tag as ready for production, for ever. ERROR_CONFLICT if it is; ERROR_NOT_FOUND about TAG
 * if it is not there, or at another digest by now. */
MUST_USE enum error_code metadata_mark_production_ready(struct metadata *metadata,
                                                        const struct tag_place *place,
                                                        const struct release_mark *mark,
                                                        struct error *err);
