#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/call.h"
#include "http/request.h"

/* Where tokens are given out (distribution "Token Authentication Specification"). */
#define TOKEN_PATH "/v2/token"

/* How a row's failures are told (errors.c). */
enum error_format {
    ERRORS_OCI = 0, /* as the distribution specification has it */
    ERRORS_PROBLEM, /* as Pier One's own API does: problem details, with a `message` */
};

/*
 * A row of the API. A pattern's `{…}` is a path_parameter. `{name}` and `{artifact}` are one or
 * more components, which may be called blobs, manifests, tags or uploads themselves, so that what
 * is behind them is matched from the right end; a pattern has one of the two at the most, and
 * something behind it. All others are one component. A row for GET serves HEAD as well.
 */
struct route {
    enum http_method method;
    const char *pattern;
    enum access access;
    enum http_thread thread; /* that begin of the handler needs: see call_need */
    enum error_format errors;
    const struct handler *handler;
};

/* Whether it changes what is kept: a push, or a word about one. Not while the registry is
 * read-only. */
bool route_writes(const struct route *route);

/* What a path came to. */
struct route_match {
    const struct route *route;              /* NULL: none for this method */
    bool is_known_path;                     /* … but there are others */
    struct str parameters[PATH_PARAMETERS]; /* as sent; borrow from the path */
};

/* The table; also for tests that loop over it. */
const struct route *routes_all(size_t *count_out);

/* What a pattern's component stands for; PATH_PARAMETERS: for itself. */
enum path_parameter routes_parameter(struct str component);

/* The row's; without one (NULL) as the paths around that one have it. */
enum error_format routes_error_format(const struct route *route, struct str path);

/* `path` is as sent, still percent-encoded. */
struct route_match routes_find(enum http_method method, struct str path);

/* What logs have of a path: of an upload's id no more than its beginning (base/random.h). */
struct str routes_shown_path(struct str path);

/* The methods that a known path takes, as the Allow field wants them. */
void routes_append_allowed(struct str path, struct strbuf *buf);

/* What the routes do. Each is in the file of its subject: about_, blob_, list_, manifest_,
 * referrer_, source_, tag_, token_ and upload_handlers.c. */

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
