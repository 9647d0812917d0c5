#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/call.h"
#include "http/request.h"

/* Where tokens are given out (distribution "Token Authentication Specification"). */
#define TOKEN_PATH "/v2/token"

/*
 * A row of the API. A pattern's `{name}` is a repository: one or more components, which may be
 * called blobs, manifests, tags or uploads themselves, so that paths are matched from their right
 * end. `{reference}` is one component. A row for GET serves HEAD as well.
 */
struct route {
    enum http_method method;
    const char *pattern;
    enum access access;
    enum http_thread thread; /* that begin of the handler needs: see call_need */
    const struct handler *handler;
};

/* What a path came to. */
struct route_match {
    const struct route *route; /* NULL: none for this method */
    bool is_known_path;        /* … but there are others */
    struct str name;           /* as sent; borrows from the path */
    struct str reference;
};

/* The table; also for tests that loop over it. */
const struct route *routes_all(size_t *count_out);

/* `path` is as sent, still percent-encoded. */
struct route_match routes_find(enum http_method method, struct str path);

/* What logs have of a path: of an upload's id no more than its beginning (base/random.h). */
struct str routes_shown_path(struct str path);

/* The methods that a known path takes, as the Allow field wants them. */
void routes_append_allowed(struct str path, struct strbuf *buf);
