#include "peer_parser.h"

#include <http_parser.h>

static int on_url(http_parser *parser, const char *bytes, size_t length);
static int on_name(http_parser *parser, const char *bytes, size_t length);
static int on_value(http_parser *parser, const char *bytes, size_t length);
static int on_head_end(http_parser *parser);
static void split_target(struct peer_request *request);
static struct str part_of(struct str target, const struct http_parser_url *url,
                          enum http_parser_url_fields field);
static void extend(struct str *text, const char *bytes, size_t length);

void peer_parse(struct str bytes, struct peer_request *request_out)
{
    const http_parser_settings settings = {
        .on_url = on_url,
        .on_header_field = on_name,
        .on_header_value = on_value,
        .on_headers_complete = on_head_end,
    };
    http_parser parser;
    size_t length = 0;

    *request_out = (struct peer_request){0};
    http_parser_init(&parser, HTTP_REQUEST);
    parser.data = request_out;
    length = http_parser_execute(&parser, &settings, bytes.bytes, bytes.length);
    if (request_out->is_complete) {
        request_out->head_length = length + 1; /* it pauses at the last LF, */
        http_parser_pause(&parser, 0);         /* and settles the framing behind the pause */
        (void)http_parser_execute(&parser, &settings, bytes.bytes + length, 1);
    }
    if (HTTP_PARSER_ERRNO(&parser) != HPE_OK) {
        request_out->error_name = http_errno_name(HTTP_PARSER_ERRNO(&parser));
    }
}

static int on_url(http_parser *parser, const char *bytes, size_t length)
{
    struct peer_request *request = parser->data;

    extend(&request->target, bytes, length);
    return 0;
}

/* Names and values come in pieces; a name behind a value begins the next field. */
static int on_name(http_parser *parser, const char *bytes, size_t length)
{
    struct peer_request *request = parser->data;
    const size_t count = request->header_count;

    if (count == 0 || request->headers[count - 1].value.bytes) {
        if (count == PEER_MAX_HEADERS) {
            return 1;
        }
        request->header_count++;
    }
    extend(&request->headers[request->header_count - 1].name, bytes, length);
    return 0;
}

static int on_value(http_parser *parser, const char *bytes, size_t length)
{
    struct peer_request *request = parser->data;

    extend(&request->headers[request->header_count - 1].value, bytes, length);
    return 0;
}

/* Pieces are neighbours, but in folded values, which we refuse. */
static void extend(struct str *text, const char *bytes, size_t length)
{
    if (!text->bytes) {
        text->bytes = bytes;
    }
    text->length = (size_t)(bytes + length - text->bytes);
}

static int on_head_end(http_parser *parser)
{
    struct peer_request *request = parser->data;

    request->is_complete = true;
    request->method_name = str_from(http_method_str((enum http_method)parser->method));
    request->major_version = parser->http_major;
    request->minor_version = parser->http_minor;
    request->is_chunked = (parser->flags & F_CHUNKED) != 0;
    request->has_content_length = (parser->flags & F_CONTENTLENGTH) != 0;
    request->content_length = request->has_content_length ? parser->content_length : 0;
    request->keeps_alive = http_should_keep_alive(parser) != 0;
    split_target(request);
    http_parser_pause(parser, 1);
    return 0;
}

static void split_target(struct peer_request *request)
{
    struct http_parser_url url;

    http_parser_url_init(&url);
    if (http_parser_parse_url(request->target.bytes, request->target.length, 0, &url) != 0) {
        request->target_is_bad = true;
        return;
    }
    request->path = part_of(request->target, &url, UF_PATH);
    request->query = part_of(request->target, &url, UF_QUERY);
}

static struct str part_of(struct str target, const struct http_parser_url *url,
                          enum http_parser_url_fields field)
{
    const size_t begin = url->field_data[field].off;

    return (url->field_set & (1U << field)) == 0
               ? (struct str){0}
               : str_slice(target, begin, begin + url->field_data[field].len);
}
