#pragma once

#include "api/call.h"
#include "base/json_writer.h"
#include "registry/tags.h"

enum { TEAM_PAGE_MAX_ENTRIES = 10 * 1000 };

/* `limit` of Pier One's own listings: TEAM_PAGE_MAX_ENTRIES if absent, since clients of the
 * original ask for no page and expect all. ERROR_INVALID about PAGE. */
MUST_USE enum error_code team_query_limit(struct call *call, size_t *limit_out, struct error *err);

/* `limit` and `cursor` of a listing of names. */
MUST_USE enum error_code team_query_read(struct call *call, struct name_query *query_out,
                                         struct error *err);

/* Link to the page behind this one, if there is one. */
void team_query_add_link(struct call *call, const struct name_query *query,
                         const struct name_page *page);

/* A member that is a digest; NULL: null. */
void team_write_digest(struct json_writer *writer, const char *name, const struct digest *digest);
