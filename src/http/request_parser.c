#include "http/request_parser.h"

#include <assert.h>

#include "http/request_fields.h"
#include "http/request_line.h"

enum { LINE_END_BYTES = sizeof("\r\n") - 1 };

static void clear(struct http_request *request);
static size_t empty_line_length(struct str bytes);
static enum http_parse_result find_end(struct str bytes, size_t max_headers, size_t *length_out,
                                       struct http_refusal *refusal_out);
static enum http_parse_result check_beginning(struct str bytes, bool is_full,
                                              struct http_request *request_out,
                                              struct http_refusal *refusal_out);
static bool parse_head(struct str head, struct http_request *request_out,
                       struct http_refusal *refusal_out);
static enum http_parse_result refuse(struct http_refusal *refusal_out, int status,
                                     const char *message);

/*
 * Finds the end of the head first, which is cheap: so a head that arrives in many pieces costs
 * little each time, and what reads it knows that it is whole.
 */
enum http_parse_result http_parse_request(struct str bytes, const struct http_parser_limits *limits,
                                          struct http_request *request_out, size_t *length_out,
                                          struct http_refusal *refusal_out)
{
    const struct str allowed = str_slice(bytes, 0, limits->head_bytes);
    const size_t skipped = empty_line_length(allowed);
    const struct str rest = str_from_index(allowed, skipped);
    const bool is_full = allowed.length == limits->head_bytes;
    size_t length = 0;

    assert(limits->headers <= HTTP_MAX_HEADERS);
    clear(request_out);
    switch (find_end(rest, limits->headers, &length, refusal_out)) {
    case HTTP_PARSE_REFUSED:
        return HTTP_PARSE_REFUSED;
    case HTTP_PARSE_MORE:
        return check_beginning(rest, is_full, request_out, refusal_out);
    case HTTP_PARSE_DONE:
        break;
    }
    if (!parse_head(str_slice(rest, 0, length), request_out, refusal_out)) {
        return HTTP_PARSE_REFUSED;
    }
    *length_out = skipped + length;
    return HTTP_PARSE_DONE;
}

/* The header fields are not touched: there is room for many, and header_count says how many are. */
static void clear(struct http_request *request)
{
    request->method = HTTP_METHOD_OTHER;
    request->method_name = (struct str){0};
    request->target = (struct str){0};
    request->path = (struct str){0};
    request->query = (struct str){0};
    request->host = (struct str){0};
    request->minor_version = 1;
    request->framing = HTTP_NO_BODY;
    request->content_length = 0;
    request->keeps_alive = false;
    request->expects_continue = false;
    request->header_count = 0;
}

/* RFC 9112 2.2: some clients send an empty line behind the body before. */
static size_t empty_line_length(struct str bytes)
{
    return str_starts_with(bytes, "\r\n") ? LINE_END_BYTES : 0;
}

/* From line to line, until one is empty. */
static enum http_parse_result find_end(struct str bytes, size_t max_headers, size_t *length_out,
                                       struct http_refusal *refusal_out)
{
    const size_t max_lines = 1 + max_headers + 1; /* the request line, the fields, the empty line */
    size_t begin = 0;

    for (size_t lines = 0; lines < max_lines; lines++) {
        const size_t line_length = str_index_of(str_from_index(bytes, begin), '\n');
        const size_t end = begin + line_length;

        if (end == bytes.length) {
            return HTTP_PARSE_MORE;
        }
        if (line_length == 0 || bytes.bytes[end - 1] != '\r') {
            return refuse(refusal_out, 400, "A line ends in LF without CR.");
        }
        begin = end + 1;
        if (line_length == 1) {
            *length_out = begin;
            return HTTP_PARSE_DONE;
        }
    }
    return refuse(refusal_out, 431, "There are too many header fields.");
}

/* Of a head that is not complete only the request line is looked at, all else can wait. */
static enum http_parse_result check_beginning(struct str bytes, bool is_full,
                                              struct http_request *request_out,
                                              struct http_refusal *refusal_out)
{
    const size_t line_end = str_index_of(bytes, '\n');

    if (line_end < bytes.length) {
        const struct str line = str_slice(bytes, 0, line_end + 1 - LINE_END_BYTES);

        if (!request_line_parse(line, request_out, refusal_out)) {
            return HTTP_PARSE_REFUSED;
        }
        return is_full ? refuse(refusal_out, 431, "The request's head is too long.")
                       : HTTP_PARSE_MORE;
    }
    if (is_full) {
        return refuse(refusal_out, 414, "The request line is too long.");
    }
    if (str_is(bytes, "\r")) { /* maybe half of an empty line */
        return HTTP_PARSE_MORE;
    }
    return request_line_can_begin(bytes, refusal_out) ? HTTP_PARSE_MORE : HTTP_PARSE_REFUSED;
}

static bool parse_head(struct str head, struct http_request *request_out,
                       struct http_refusal *refusal_out)
{
    const size_t line_end = str_index_of(head, '\n') + 1;

    return request_line_parse(str_slice(head, 0, line_end - LINE_END_BYTES), request_out,
                              refusal_out) &&
           request_fields_parse(str_from_index(head, line_end), request_out, refusal_out);
}

static enum http_parse_result refuse(struct http_refusal *refusal_out, int status,
                                     const char *message)
{
    *refusal_out = (struct http_refusal){status, message};
    return HTTP_PARSE_REFUSED;
}
