#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "http/request.h"
#include "http/request_parser.h"

/*
 * Reads a request line (RFC 9112 3), given without its CRLF, into method, target, path, query, host
 * (of a target in absolute form) and version of the request. False: *refusal_out says why.
 */
bool request_line_parse(struct str line, struct http_request *request,
                        struct http_refusal *refusal_out);

/* Whether a request line may begin so; to tell strangers (TLS on a plain port) early. */
bool request_line_can_begin(struct str bytes, struct http_refusal *refusal_out);
