#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "http/request.h"
#include "http/request_parser.h"

/*
 * Reads the field lines of a head (RFC 9112 5), at most HTTP_MAX_HEADERS, and settles what they say
 * of host, framing, keep-alive and expectations. The request's line has been read. `lines` ends
 * with the empty line, and each LF in it stands behind a CR. False: *refusal_out says why.
 */
bool request_fields_parse(struct str lines, struct http_request *request,
                          struct http_refusal *refusal_out);
