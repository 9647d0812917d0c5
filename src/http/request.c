#include "http/request.h"

#include <assert.h>

#include "base/utf8.h"
#include "http/request_head.h"

enum { LINE_END_BYTES = sizeof("\r\n") - 1, PARAMETER_NAME_MAX_BYTES = 32 };

void http_request_clear(struct http_request *request)
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

static enum http_parse_result request_refuse(struct http_refusal *refusal_out, int status,
                                             const char *message)
{
    *refusal_out = (struct http_refusal){status, message};
    return HTTP_PARSE_REFUSED;
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
            return request_refuse(refusal_out, 400, "A line ends in LF without CR.");
        }
        begin = end + 1;
        if (line_length == 1) {
            *length_out = begin;
            return HTTP_PARSE_DONE;
        }
    }
    return request_refuse(refusal_out, 431, "There are too many header fields.");
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
        return is_full ? request_refuse(refusal_out, 431, "The request's head is too long.")
                       : HTTP_PARSE_MORE;
    }
    if (is_full) {
        return request_refuse(refusal_out, 414, "The request line is too long.");
    }
    if (str_is(bytes, "\r")) { /* maybe half of an empty line */
        return HTTP_PARSE_MORE;
    }
    return request_line_can_begin(bytes, refusal_out) ? HTTP_PARSE_MORE : HTTP_PARSE_REFUSED;
}

static bool request_parse_head(struct str head, struct http_request *request_out,
                               struct http_refusal *refusal_out)
{
    const size_t line_end = str_index_of(head, '\n') + 1;

    return request_line_parse(str_slice(head, 0, line_end - LINE_END_BYTES), request_out,
                              refusal_out) &&
           request_fields_parse(str_from_index(head, line_end), request_out, refusal_out);
}

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
    http_request_clear(request_out);
    switch (find_end(rest, limits->headers, &length, refusal_out)) {
    case HTTP_PARSE_REFUSED:
        return HTTP_PARSE_REFUSED;
    case HTTP_PARSE_MORE:
        return check_beginning(rest, is_full, request_out, refusal_out);
    case HTTP_PARSE_DONE:
        break;
    }
    if (!request_parse_head(str_slice(rest, 0, length), request_out, refusal_out)) {
        return HTTP_PARSE_REFUSED;
    }
    *length_out = skipped + length;
    return HTTP_PARSE_DONE;
}

struct str http_request_header(const struct http_request *request, const char *name)
{
    size_t position = 0;

    return http_request_next_header(request, name, &position);
}

struct str http_request_next_header(const struct http_request *request, const char *name,
                                    size_t *position)
{
    const struct str wanted = str_from(name);

    while (*position < request->header_count) {
        const struct http_header *header = &request->headers[*position];

        (*position)++;
        if (header->name.length == wanted.length && str_equal_ignoring_case(header->name, wanted)) {
            return header->value;
        }
    }
    return (struct str){0};
}

/* Encoded or not, it is the same name (RFC 3986 6.2.2.2). */
static bool parameter_is_named(struct str encoded, const char *name)
{
    char decoded[PARAMETER_NAME_MAX_BYTES];

    assert(str_from(name).length < sizeof(decoded));
    return http_percent_decode(encoded, decoded, sizeof(decoded)) &&
           str_is(str_from(decoded), name);
}

enum http_parameter http_request_next_parameter(const struct http_request *request,
                                                const char *name, size_t *position, char *decoded,
                                                size_t capacity)
{
    struct str rest = str_from_index(request->query, *position);
    struct str parameter = {0};

    while (str_cut(&rest, '&', &parameter)) {
        const size_t equals = str_index_of(parameter, '=');

        if (!parameter_is_named(str_slice(parameter, 0, equals), name)) {
            continue;
        }
        *position = request->query.length - rest.length;
        return http_percent_decode(str_from_index(parameter, equals + 1), decoded, capacity) &&
                       utf8_is_valid(str_from(decoded))
                   ? HTTP_PARAMETER_FOUND
                   : HTTP_PARAMETER_BAD;
    }
    *position = request->query.length;
    return HTTP_PARAMETER_ABSENT;
}

/* Takes a byte or a percent-encoded one (RFC 3986 2.1) from the front. False for NUL too. */
static bool take_decoded(struct str *encoded, char *byte_out)
{
    const char first = encoded->bytes[0];
    int high = 0;
    int low = 0;

    if (first != '%') {
        *byte_out = first;
        *encoded = str_from_index(*encoded, 1);
        return first != '\0';
    }
    if (encoded->length < sizeof("%41") - 1) {
        return false;
    }
    high = str_hex_value(encoded->bytes[1]);
    low = str_hex_value(encoded->bytes[2]);
    if (high < 0 || low < 0 || high + low == 0) {
        return false;
    }
    *byte_out = (char)(high * 16 + low);
    *encoded = str_from_index(*encoded, sizeof("%41") - 1);
    return true;
}

bool http_percent_decode(struct str encoded, char *decoded, size_t capacity)
{
    size_t length = 0;

    assert(capacity > 0);
    decoded[0] = '\0';
    while (encoded.length > 0) {
        char byte = '\0';

        if (length == capacity - 1 || !take_decoded(&encoded, &byte)) {
            decoded[0] = '\0';
            return false;
        }
        decoded[length++] = byte;
    }
    decoded[length] = '\0';
    return true;
}
