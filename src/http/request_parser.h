#pragma once

#include <stddef.h>

#include "base/str.h"
#include "http/request.h"

enum http_parse_result { HTTP_PARSE_DONE, HTTP_PARSE_MORE, HTTP_PARSE_REFUSED };

/* Why a head was refused: what to answer, and one sentence for the client. */
struct http_refusal {
    int status; /* 400, 413, 414, 417, 431, 501 or 505 */
    const char *message;
};

struct http_parser_limits {
    size_t head_bytes;
    size_t headers; /* at most HTTP_MAX_HEADERS */
};

/*
 * Reads a request head (RFC 9112 2 to 7) from the beginning of `bytes`. A pure function: the same
 * bytes always give the same result, and nothing is kept between calls.
 *
 * DONE: *request_out is filled, *length_out is where the body begins. MORE: no end of the head yet,
 * and nothing wrong so far; call again with more bytes. REFUSED: *refusal_out says why; the
 * connection must be answered once and closed, since nobody knows where the next request begins.
 *
 * Strict, because a proxy in front may read the same bytes differently: refuses bare LF or CR, NUL
 * and other control bytes, obs-fold, white space before a colon, a missing, repeated or malformed
 * Host, Transfer-Encoding with Content-Length or in HTTP/1.0, any coding but exactly one `chunked`,
 * Content-Length that is repeated with another value, signed, padded, listed or overflowing, and a
 * target that is neither origin-form, absolute-form nor `*`, or holds what RFC 3986 does not allow
 * in a URI. HTTP/1.0 may come without Host. Up to one empty line before the request line is skipped
 * (RFC 9112 2.2).
 */
enum http_parse_result http_parse_request(struct str bytes, const struct http_parser_limits *limits,
                                          struct http_request *request_out, size_t *length_out,
                                          struct http_refusal *refusal_out);
