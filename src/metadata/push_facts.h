#pragma once

#include "metadata/manifests.h"
#include "metadata/sql.h"

/* What a push says beside the manifest and its tag; for push.c only, within its transaction. */

/* The blobs that the manifest names, and the manifest itself. ERROR_NOT_FOUND about REFERENCED if
 * one was swept. */
MUST_USE enum error_code push_add_blobs(struct sql_connection *connection,
                                        const struct manifest_push *push, struct error *err);

/*
 * Where the image of one of its tags was built from, if the push tells. A file in a layer says it
 * once; who pushed says it again only if it is something else than what counts now.
 */
MUST_USE enum error_code push_add_source(struct sql_connection *connection, int64_t repository_id,
                                         const struct manifest_push *push, size_t tag,
                                         struct error *err);
