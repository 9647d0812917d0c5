#include "http/request.h"

#include <assert.h>

#include "base/utf8.h"

enum { PARAMETER_NAME_MAX_BYTES = 32 };

static bool is_named(struct str encoded, const char *name);
static bool take_decoded(struct str *encoded, char *byte_out);

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

enum http_parameter http_request_next_parameter(const struct http_request *request,
                                                const char *name, size_t *position, char *decoded,
                                                size_t capacity)
{
    struct str rest = str_from_index(request->query, *position);
    struct str parameter = {0};

    while (str_cut(&rest, '&', &parameter)) {
        const size_t equals = str_index_of(parameter, '=');

        if (!is_named(str_slice(parameter, 0, equals), name)) {
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

/* Encoded or not, it is the same name (RFC 3986 6.2.2.2). */
static bool is_named(struct str encoded, const char *name)
{
    char decoded[PARAMETER_NAME_MAX_BYTES];

    assert(str_from(name).length < sizeof(decoded));
    return http_percent_decode(encoded, decoded, sizeof(decoded)) &&
           str_is(str_from(decoded), name);
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
