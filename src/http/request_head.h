#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "http/request.h"

/*
 * Reads a request line (RFC 9112 3), given without its CRLF, into method, target, path, query, host
 * (of a target in absolute form) and version of the request. False: *refusal_out says why.
 */
bool request_line_parse(struct str line, struct http_request *request,
                        struct http_refusal *refusal_out);

/* Whether a request line may begin so; to tell strangers (TLS on a plain port) early. */
bool request_line_can_begin(struct str bytes, struct http_refusal *refusal_out);

/*
 * Reads the field lines of a head (RFC 9112 5), at most HTTP_MAX_HEADERS, and settles what they say
 * of host, framing, keep-alive and expectations. The request's line has been read. `lines` ends
 * with the empty line, and each LF in it stands behind a CR. False: *refusal_out says why.
 */
bool request_fields_parse(struct str lines, struct http_request *request,
                          struct http_refusal *refusal_out);
