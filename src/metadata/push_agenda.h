#pragma once

#include "metadata/manifests.h"
#include "metadata/metadata_private.h"

/*
 * What a push has to add, and how it hears what came of it; for push.c only, within its
 * transaction. Statements are collected and done in order, many at a time: each would be a round
 * trip.
 */
enum { PUSH_AGENDA_STEPS = 64 };

/* What was said of a tag's image, and is compared with what is known. */
struct push_source {
    const struct scm_claim *claim;
    bool *is_said_out;
};

struct push_agenda {
    struct sql_connection *connection;
    const struct manifest_push *push;
    struct str digest; /* of the manifest */
    int64_t repository_id;

    size_t count;
    struct row_question steps[PUSH_AGENDA_STEPS];
    struct digest_value digests[PUSH_AGENDA_STEPS][2]; /* that the steps borrow */
    bool *found_out[PUSH_AGENDA_STEPS];                /* whether a step gave a row; or NULL */
    bool is_sweep[PUSH_AGENDA_STEPS];                  /* if it did, the blob was swept */
    struct push_source sources[PUSH_TAGS_MAX];
};

/* Does what is left. Any of these may do what was collected before: ERROR_NOT_FOUND about
 * REFERENCED if a blob was swept. */
MUST_USE enum error_code push_agenda_do(struct push_agenda *agenda, struct error *err);

MUST_USE enum error_code push_agenda_add_manifest(struct push_agenda *agenda, bool *is_new_out,
                                                  struct error *err);

/* Those that the manifest names, and the manifest itself. */
MUST_USE enum error_code push_agenda_add_blobs(struct push_agenda *agenda, struct error *err);

/* Creates or moves it, as it was found; nothing if it is where it should be. */
MUST_USE enum error_code push_agenda_add_tag(struct push_agenda *agenda, size_t tag,
                                             const struct tag_found *found, bool *is_set_out,
                                             struct error *err);

/*
 * Whether a tag's image needs no word on where it was built from. A file in a layer says it once;
 * who pushed says it again only if it is something else than what counts now.
 */
MUST_USE enum error_code push_agenda_look_for_source(struct push_agenda *agenda, size_t tag,
                                                     bool *is_said_out, struct error *err);

/* Says it. */
MUST_USE enum error_code push_add_source(struct sql_connection *connection, int64_t repository_id,
                                         const struct manifest_push *push, size_t tag,
                                         struct error *err);
