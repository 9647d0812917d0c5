#pragma once

#include "api/call.h"

/* What the routes do. Each is in the file of its subject: base_, blob_, upload_, manifest_, list_,
 * referrer_, team_ and token_handlers.c. */

extern const struct handler base_handler;   /* GET /v2/ */
extern const struct handler health_handler; /* whether the process lives */
extern const struct handler ready_handler;  /* whether it wants requests */

extern const struct handler blob_get_handler;

extern const struct handler upload_post_handler;
extern const struct handler upload_get_handler;
extern const struct handler upload_patch_handler;
extern const struct handler upload_put_handler;
extern const struct handler upload_delete_handler;

extern const struct handler manifest_get_handler;
extern const struct handler manifest_put_handler;

extern const struct handler tag_list_handler;
extern const struct handler catalog_handler;
extern const struct handler referrers_handler;

extern const struct handler team_list_handler;
extern const struct handler artifact_list_handler;
extern const struct handler artifact_tags_handler;
extern const struct handler artifact_tag_handler;
extern const struct handler image_ids_handler;

extern const struct handler token_get_handler;
extern const struct handler token_post_handler;

/* DELETE of what never goes away: 405 UNSUPPORTED. */
extern const struct handler immutable_handler;
