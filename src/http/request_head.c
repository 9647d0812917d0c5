#include "http/request_head.h"

#include <assert.h>

#include "base/ascii.h"
#include "http/syntax.h"

enum { METHOD_MAX_BYTES = 32, EMPTY_LINE_BYTES = sizeof("\r\n") - 1 };

struct field_reader {
    struct str rest; /* lines not read yet */
    struct http_request *request;
    struct http_refusal *refusal;
    bool has_host;
    bool has_length;
    bool has_coding;
    bool says_close;
    bool says_keep_alive;
};

static bool head_refuse(struct http_refusal *refusal_out, int status, const char *message)
{
    *refusal_out = (struct http_refusal){status, message};
    return false;
}

/* Methods are case-sensitive (RFC 9110 9.1). */
static enum http_method method_of(struct str name)
{
    static const struct {
        struct str name;
        enum http_method method;
    } methods[] = {
        {STR_LITERAL("GET"), HTTP_GET},         {STR_LITERAL("HEAD"), HTTP_HEAD},
        {STR_LITERAL("POST"), HTTP_POST},       {STR_LITERAL("PUT"), HTTP_PUT},
        {STR_LITERAL("PATCH"), HTTP_PATCH},     {STR_LITERAL("DELETE"), HTTP_DELETE},
        {STR_LITERAL("OPTIONS"), HTTP_OPTIONS},
    };

    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        if (str_equal(name, methods[i].name)) {
            return methods[i].method;
        }
    }
    return HTTP_METHOD_OTHER;
}

static bool parse_method(struct str name, struct http_request *request,
                         struct http_refusal *refusal_out)
{
    if (name.length == 0 || http_span(name, HTTP_TOKEN_BYTE) != name.length) {
        return head_refuse(refusal_out, 400, "The request must begin with a method.");
    }
    if (name.length > METHOD_MAX_BYTES) { /* RFC 9112 3: longer than any we implement */
        return head_refuse(refusal_out, 501, "The method is not one of ours.");
    }
    request->method_name = name;
    request->method = method_of(name);
    return true;
}

/* RFC 9112 2.3. A later 1.x is answered as 1.1 (RFC 9110 2.5). */
static bool parse_version(struct str version, struct http_request *request,
                          struct http_refusal *refusal_out)
{
    const struct str name = STR_LITERAL("HTTP/");
    const struct str digits = str_from_index(version, name.length);

    if (!str_equal(str_slice(version, 0, name.length), name) || digits.length != 3 ||
        !ascii_is_digit(digits.bytes[0]) || digits.bytes[1] != '.' ||
        !ascii_is_digit(digits.bytes[2])) {
        return head_refuse(refusal_out, 400, "The request line must end in HTTP/1.1 or HTTP/1.0.");
    }
    if (digits.bytes[0] != '1') {
        return head_refuse(refusal_out, 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
    }
    request->minor_version = digits.bytes[2] == '0' ? 0 : 1;
    return true;
}

static void split_path(struct str path_and_query, struct http_request *request)
{
    const size_t mark = str_index_of(path_and_query, '?');

    request->path = str_slice(path_and_query, 0, mark);
    request->query = str_from_index(path_and_query, mark + 1);
}

static bool cut_scheme(struct str *target)
{
    static const struct str schemes[] = {STR_LITERAL("http://"), STR_LITERAL("https://")};

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (str_equal_ignoring_case(str_slice(*target, 0, schemes[i].length), schemes[i])) {
            *target = str_from_index(*target, schemes[i].length);
            return true;
        }
    }
    return false;
}

static size_t authority_length(struct str rest)
{
    const size_t slash = str_index_of(rest, '/');
    const size_t mark = str_index_of(rest, '?');

    return slash < mark ? slash : mark;
}

static bool parse_absolute(struct str target, struct http_request *request,
                           struct http_refusal *refusal_out)
{
    const struct str root = STR_LITERAL("/");
    struct str rest = target;

    if (!cut_scheme(&rest)) {
        return head_refuse(refusal_out, 400,
                           "The request target must be a path or an http address.");
    }
    request->host = str_slice(rest, 0, authority_length(rest));
    if (!http_authority_is_valid(request->host)) {
        return head_refuse(refusal_out, 400, "The request target names no valid host.");
    }
    split_path(str_from_index(rest, request->host.length), request);
    if (request->path.length == 0) {
        request->path = root; /* RFC 9110 4.2.3: an empty path is the same as "/" */
    }
    return true;
}

/* RFC 9112 3.2. */
static bool parse_target(struct str target, struct http_request *request,
                         struct http_refusal *refusal_out)
{
    if (http_span(target, HTTP_URI_BYTE) != target.length) {
        return head_refuse(refusal_out, 400,
                           "The request target holds bytes that must be percent-encoded, "
                           "or a fragment.");
    }
    if (str_is(request->method_name, "CONNECT")) {
        return head_refuse(refusal_out, 501, "This server is no proxy: no CONNECT.");
    }
    if (target.length > 0 && target.bytes[0] == '/') {
        split_path(target, request);
        return true;
    }
    if (request->method == HTTP_OPTIONS && str_is(target, "*")) {
        request->path = target;
        return true;
    }
    return parse_absolute(target, request, refusal_out);
}

bool request_line_parse(struct str line, struct http_request *request,
                        struct http_refusal *refusal_out)
{
    const size_t first = str_index_of(line, ' ');
    const size_t last = str_last_index_of(line, ' ');

    if (!parse_method(str_slice(line, 0, first), request, refusal_out)) {
        return false;
    }
    if (first >= last) {
        return head_refuse(refusal_out, 400,
                           "The request line must be a method, a target and a version, "
                           "with a single space between them.");
    }
    request->target = str_slice(line, first + 1, last);
    return parse_version(str_from_index(line, last + 1), request, refusal_out) &&
           parse_target(request->target, request, refusal_out);
}

bool request_line_can_begin(struct str bytes, struct http_refusal *refusal_out)
{
    const size_t length = http_span(str_slice(bytes, 0, METHOD_MAX_BYTES + 1), HTTP_TOKEN_BYTE);

    if (length > METHOD_MAX_BYTES) {
        return head_refuse(refusal_out, 501, "The method is not one of ours.");
    }
    if (length < bytes.length && (length == 0 || bytes.bytes[length] != ' ')) {
        return head_refuse(refusal_out, 400, "The request must begin with a method.");
    }
    return true;
}

static bool refuse_name(struct field_reader *reader)
{
    const char first = reader->rest.bytes[0];

    if (first == ' ' || first == '\t') { /* RFC 9112 5.2 obs-fold, or 2.2 */
        return head_refuse(reader->refusal, 400, "Header fields must not be folded.");
    }
    return head_refuse(reader->refusal, 400,
                       "A header field must be a name, a colon right behind it, a value.");
}

/* RFC 9112 3.2; the host of a target in absolute form goes before (3.2.2). */
static bool interpret_host(struct field_reader *reader, struct str value)
{
    if (reader->has_host) {
        return head_refuse(reader->refusal, 400, "There is more than one Host.");
    }
    if (!http_authority_is_valid(value)) {
        return head_refuse(reader->refusal, 400,
                           "Host must be a name or address, maybe with a port.");
    }
    reader->has_host = true;
    if (reader->request->host.length == 0) {
        reader->request->host = value;
    }
    return true;
}

/*
 * RFC 9110 8.6, but no list of equal numbers and no leading zeros, which some read as octal. The
 * same number again says nothing else. Up to INT64_MAX, as file offsets are.
 */
static bool interpret_length(struct field_reader *reader, struct str value)
{
    const bool is_padded = value.length > 1 && value.bytes[0] == '0';
    uint64_t length = 0;

    if (is_padded || !str_parse_uint64(value, &length) || length > INT64_MAX) {
        return head_refuse(reader->refusal, 400,
                           "Content-Length must be one decimal number below 2^63.");
    }
    if (reader->has_length && length != reader->request->content_length) {
        return head_refuse(reader->refusal, 400, "There are two Content-Lengths.");
    }
    reader->has_length = true;
    reader->request->content_length = length;
    return true;
}

/* Whether other codings come first, and chunked once behind them. */
static bool is_chunked_at_last(struct str codings)
{
    const size_t comma = str_last_index_of(codings, ',');
    struct str others = str_slice(codings, 0, comma);
    struct str coding = {0};

    if (!str_is_ignoring_case(str_trim(str_from_index(codings, comma + 1)), "chunked")) {
        return false;
    }
    while (str_cut(&others, ',', &coding)) {
        coding = str_trim(coding);
        if (coding.length == 0 || str_is_ignoring_case(coding, "chunked")) {
            return false;
        }
    }
    return true;
}

static bool interpret_coding(struct field_reader *reader, struct str value)
{
    if (reader->has_coding) {
        return head_refuse(reader->refusal, 400, "There is more than one Transfer-Encoding.");
    }
    reader->has_coding = true;
    if (str_is_ignoring_case(value, "chunked")) {
        return true;
    }
    if (is_chunked_at_last(value)) { /* RFC 9112 6.1: codings that we do not know */
        return head_refuse(reader->refusal, 501,
                           "The only Transfer-Encoding understood is chunked.");
    }
    return head_refuse(reader->refusal, 400,
                       "Transfer-Encoding must be chunked."); /* RFC 9112 6.3 */
}

static bool interpret_connection(struct field_reader *reader, struct str value)
{
    struct str option = {0};

    while (str_cut(&value, ',', &option)) {
        option = str_trim(option);
        if (str_is_ignoring_case(option, "close")) {
            reader->says_close = true;
        } else if (str_is_ignoring_case(option, "keep-alive")) {
            reader->says_keep_alive = true;
        }
    }
    return true;
}

/* RFC 9110 10.1.1; from a HTTP/1.0 client the expectation is ignored. */
static bool interpret_expectation(struct field_reader *reader, struct str value)
{
    if (!str_is_ignoring_case(value, "100-continue")) {
        return head_refuse(reader->refusal, 417,
                           "The only expectation understood is 100-continue.");
    }
    reader->request->expects_continue = reader->request->minor_version > 0;
    return true;
}

static bool interpret(struct field_reader *reader, const struct http_header *header)
{
    static const struct {
        struct str name;
        bool (*interpret)(struct field_reader *reader, struct str value);
    } fields[] = {
        {STR_LITERAL("Host"), interpret_host},
        {STR_LITERAL("Content-Length"), interpret_length},
        {STR_LITERAL("Transfer-Encoding"), interpret_coding},
        {STR_LITERAL("Connection"), interpret_connection},
        {STR_LITERAL("Expect"), interpret_expectation},
    };

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (header->name.length == fields[i].name.length &&
            str_equal_ignoring_case(header->name, fields[i].name)) {
            return fields[i].interpret(reader, header->value);
        }
    }
    return true;
}

/* The empty line at the end keeps all reading below inside the bytes. */
static bool head_read_field(struct field_reader *reader)
{
    const struct str line = reader->rest;
    const size_t name_length = http_span(line, HTTP_TOKEN_BYTE);
    struct http_header *header = &reader->request->headers[reader->request->header_count];
    struct str value = {0};
    size_t value_length = 0;

    assert(reader->request->header_count < HTTP_MAX_HEADERS);
    if (name_length == 0 || line.bytes[name_length] != ':') {
        return refuse_name(reader);
    }
    value = str_from_index(line, name_length + 1);
    value_length = http_span_value(value);
    if (value.bytes[value_length] != '\r' || value.bytes[value_length + 1] != '\n') {
        return head_refuse(reader->refusal, 400, "A header field holds a control byte.");
    }
    reader->rest = str_from_index(value, value_length + EMPTY_LINE_BYTES);
    *header = (struct http_header){
        .name = str_slice(line, 0, name_length),
        .value = str_trim(str_slice(value, 0, value_length)),
    };
    reader->request->header_count++;
    return interpret(reader, header);
}

/* What can only be said with all fields at hand. */
static bool settle(struct field_reader *reader)
{
    struct http_request *request = reader->request;
    const bool is_http_1_0 = request->minor_version == 0;

    if (!reader->has_host && !is_http_1_0) {
        return head_refuse(reader->refusal, 400, "There is no Host.");
    }
    if (reader->has_coding && is_http_1_0) { /* RFC 9112 6.1 */
        return head_refuse(reader->refusal, 400, "HTTP/1.0 has no Transfer-Encoding.");
    }
    if (reader->has_coding && reader->has_length) { /* RFC 9112 6.3 */
        return head_refuse(reader->refusal, 400,
                           "There are both Transfer-Encoding and Content-Length.");
    }
    if (reader->has_coding) {
        request->framing = HTTP_CHUNKED_BODY;
    } else if (reader->has_length) {
        request->framing = HTTP_SIZED_BODY;
    }
    request->keeps_alive = !reader->says_close && (reader->says_keep_alive || !is_http_1_0);
    return true;
}

bool request_fields_parse(struct str lines, struct http_request *request,
                          struct http_refusal *refusal_out)
{
    struct field_reader reader = {.rest = lines, .request = request, .refusal = refusal_out};

    assert(str_ends_with(lines, "\r\n"));
    while (reader.rest.length > EMPTY_LINE_BYTES) {
        if (!head_read_field(&reader)) {
            return false;
        }
    }
    return settle(&reader);
}
