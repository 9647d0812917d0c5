#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_METHOD_OTHER, /* well-formed, but none of ours: 405 or 501 is the application's to say */
};

enum { HTTP_MAX_HEADERS = 128 };

struct http_header {
    struct str name;  /* as sent: compare without regard to case */
    struct str value; /* without surrounding white space */
};

/* How the end of the body is found (RFC 9112 6.3). */
enum http_framing { HTTP_NO_BODY, HTTP_SIZED_BODY, HTTP_CHUNKED_BODY };

/* A request head, taken apart. Borrows from the bytes that were parsed. */
struct http_request {
    enum http_method method;
    struct str method_name;
    struct str target;      /* as sent */
    struct str path;        /* of the target, still percent-encoded, begins with '/' (or is "*") */
    struct str query;       /* behind the '?', still encoded; may be empty */
    struct str host;        /* the Host field's value, or of the target in absolute form */
    unsigned minor_version; /* HTTP/1.0 or HTTP/1.1 */
    enum http_framing framing;
    uint64_t content_length; /* of a HTTP_SIZED_BODY */
    bool keeps_alive;
    bool expects_continue;
    size_t header_count;
    struct http_header headers[HTTP_MAX_HEADERS];
};

/*
 * Nothing is known of it. The header fields are not touched: there is room for many, and
 * header_count says how many there are.
 */
void http_request_clear(struct http_request *request);

enum http_parse_result { HTTP_PARSE_DONE, HTTP_PARSE_MORE, HTTP_PARSE_REFUSED };

/* Why a head was refused: the status, and one sentence for the client. */
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

/* The value of the first field of that name; {NULL, 0} if there is none. */
struct str http_request_header(const struct http_request *request, const char *name);

/* As http_request_header for the field's next occurrence: *position begins at 0. */
struct str http_request_next_header(const struct http_request *request, const char *name,
                                    size_t *position);

enum http_parameter {
    HTTP_PARAMETER_ABSENT,
    HTTP_PARAMETER_FOUND,
    HTTP_PARAMETER_BAD, /* too long, badly encoded, holding NUL or not UTF-8 */
};

/*
 * The query parameter of that name, percent-decoded ('+' is a plus, not a space) into memory of
 * `decoded`, which has room for capacity bytes with the NUL. Others are not looked at. Called
 * again, its next occurrence: *position begins at 0.
 */
enum http_parameter http_request_next_parameter(const struct http_request *request,
                                                const char *name, size_t *position, char *decoded,
                                                size_t capacity);

/* Percent-decodes; false if badly encoded, holding NUL, or longer than capacity - 1. */
bool http_percent_decode(struct str encoded, char *decoded, size_t capacity);
