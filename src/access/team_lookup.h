#pragma once

#include "access/team_source.h"
#include "base/json_value.h"

/* Asking a team service of any kind in the caller's name. For the sources of this folder only. */
struct team_lookup {
    const char *service; /* its name, for messages */
    struct http_client *client;
    struct outbound_request request;
};

/*
 * OK: *json_out is the answer; free it. ERROR_NOT_FOUND: the service knows of no such thing.
 * ERROR_DENIED: there is no token to ask with, or the service refuses it. ERROR_UNAVAILABLE: there
 * is no answer that makes sense.
 */
MUST_USE enum error_code team_lookup_json(const struct team_lookup *lookup,
                                          struct json_value **json_out, struct error *err);

/* The answer's status alone; the same errors but for ERROR_NOT_FOUND. */
MUST_USE enum error_code team_lookup_status(const struct team_lookup *lookup, int *status_out,
                                            struct error *err);

/* For --check-config: any answer but 5xx, also to a request without a token, shows that the service
 * is there. */
MUST_USE enum error_code team_lookup_check(const struct team_lookup *lookup, struct strbuf *report,
                                           struct error *err);

/*
 * `BASE/PATH`, with room for one encoded name behind it; a slash at the end of base does not
 * matter. Release it.
 */
void team_url_begin(struct strbuf *url, const char *base, const char *path);

/*
 * Whether a name can be one segment of a path. Empty ones and dot segments (RFC 3986 5.2.4) lead to
 * another resource even if encoded, and slashes do where a server decodes before it splits.
 */
bool team_url_takes(struct str segment);
