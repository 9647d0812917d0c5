#pragma once

#include "api/call.h"

/* What the routes do. Each is in the file of its subject: about_, blob_, upload_, manifest_,
 * list_, referrer_, source_, statistics_, team_ and token_handlers.c. */

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

extern const struct handler scm_source_handler;
extern const struct handler tag_history_handler;
extern const struct handler production_ready_handler;
extern const struct handler tag_recheck_handler;
extern const struct handler artifact_recheck_handler;
extern const struct handler image_tags_handler;
extern const struct handler statistics_handler;
extern const struct handler team_statistics_handler;
extern const struct handler all_team_statistics_handler;
extern const struct handler client_handler; /* what a client has to know to log in */
extern const struct handler whoami_handler;
extern const struct handler openapi_handler; /* src/api/openapi.json */

extern const struct handler token_get_handler;
extern const struct handler token_post_handler;

/* DELETE of what never goes away: 405 UNSUPPORTED. */
extern const struct handler immutable_handler;
