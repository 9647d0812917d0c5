#include "http/request_fields.h"

#include <assert.h>

#include "http/syntax.h"

enum { EMPTY_LINE_BYTES = sizeof("\r\n") - 1 };

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

static bool read_field(struct field_reader *reader);
static bool refuse_name(struct field_reader *reader);
static bool interpret(struct field_reader *reader, const struct http_header *header);
static bool interpret_host(struct field_reader *reader, struct str value);
static bool interpret_length(struct field_reader *reader, struct str value);
static bool interpret_coding(struct field_reader *reader, struct str value);
static bool is_chunked_at_last(struct str codings);
static bool interpret_connection(struct field_reader *reader, struct str value);
static bool interpret_expectation(struct field_reader *reader, struct str value);
static bool settle(struct field_reader *reader);
static bool refuse(struct field_reader *reader, int status, const char *message);

bool request_fields_parse(struct str lines, struct http_request *request,
                          struct http_refusal *refusal_out)
{
    struct field_reader reader = {.rest = lines, .request = request, .refusal = refusal_out};

    assert(str_ends_with(lines, "\r\n"));
    while (reader.rest.length > EMPTY_LINE_BYTES) {
        if (!read_field(&reader)) {
            return false;
        }
    }
    return settle(&reader);
}

/* The empty line at the end keeps all reading below inside the bytes. */
static bool read_field(struct field_reader *reader)
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
        return refuse(reader, 400, "A header field holds a control byte.");
    }
    reader->rest = str_from_index(value, value_length + EMPTY_LINE_BYTES);
    *header = (struct http_header){
        .name = str_slice(line, 0, name_length),
        .value = str_trim(str_slice(value, 0, value_length)),
    };
    reader->request->header_count++;
    return interpret(reader, header);
}

static bool refuse_name(struct field_reader *reader)
{
    const char first = reader->rest.bytes[0];

    if (first == ' ' || first == '\t') { /* RFC 9112 5.2 obs-fold, or 2.2 */
        return refuse(reader, 400, "Header fields must not be folded.");
    }
    return refuse(reader, 400, "A header field must be a name, a colon right behind it, a value.");
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

/* RFC 9112 3.2; the host of a target in absolute form goes before (3.2.2). */
static bool interpret_host(struct field_reader *reader, struct str value)
{
    if (reader->has_host) {
        return refuse(reader, 400, "There is more than one Host.");
    }
    if (!http_authority_is_valid(value)) {
        return refuse(reader, 400, "Host must be a name or address, maybe with a port.");
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
        return refuse(reader, 400, "Content-Length must be one decimal number below 2^63.");
    }
    if (reader->has_length && length != reader->request->content_length) {
        return refuse(reader, 400, "There are two Content-Lengths.");
    }
    reader->has_length = true;
    reader->request->content_length = length;
    return true;
}

static bool interpret_coding(struct field_reader *reader, struct str value)
{
    if (reader->has_coding) {
        return refuse(reader, 400, "There is more than one Transfer-Encoding.");
    }
    reader->has_coding = true;
    if (str_is_ignoring_case(value, "chunked")) {
        return true;
    }
    if (is_chunked_at_last(value)) { /* RFC 9112 6.1: codings that we do not know */
        return refuse(reader, 501, "The only Transfer-Encoding understood is chunked.");
    }
    return refuse(reader, 400, "Transfer-Encoding must be chunked."); /* RFC 9112 6.3 */
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
        return refuse(reader, 417, "The only expectation understood is 100-continue.");
    }
    reader->request->expects_continue = reader->request->minor_version > 0;
    return true;
}

/* What can only be said with all fields at hand. */
static bool settle(struct field_reader *reader)
{
    struct http_request *request = reader->request;
    const bool is_http_1_0 = request->minor_version == 0;

    if (!reader->has_host && !is_http_1_0) {
        return refuse(reader, 400, "There is no Host.");
    }
    if (reader->has_coding && is_http_1_0) { /* RFC 9112 6.1 */
        return refuse(reader, 400, "HTTP/1.0 has no Transfer-Encoding.");
    }
    if (reader->has_coding && reader->has_length) { /* RFC 9112 6.3 */
        return refuse(reader, 400, "There are both Transfer-Encoding and Content-Length.");
    }
    if (reader->has_coding) {
        request->framing = HTTP_CHUNKED_BODY;
    } else if (reader->has_length) {
        request->framing = HTTP_SIZED_BODY;
    }
    request->keeps_alive = !reader->says_close && (reader->says_keep_alive || !is_http_1_0);
    return true;
}

static bool refuse(struct field_reader *reader, int status, const char *message)
{
    *reader->refusal = (struct http_refusal){status, message};
    return false;
}
