#include "http/syntax.h"

#include <arpa/inet.h>
#include <string.h>

enum { PORT_MAX = 65535 };

/* One row per sixteen bytes; each number is a sum of enum http_byte_class. */
const uint8_t http_byte_classes[256] = {
    /* clang-format off */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    4, 7, 4, 5, 7, 7, 7, 7, 6, 6, 7, 7, 6, 15, 15, 6,
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 6, 6, 4, 6, 4, 6,
    6, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 6, 4, 6, 5, 15,
    5, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 4, 5, 4, 7, 0,
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
    /* clang-format on */
};

size_t http_span(struct str bytes, enum http_byte_class byte_class)
{
    const uint8_t *classes = http_byte_classes;
    size_t length = 0;

    while (bytes.length - length >= 4) { /* four at a time take half the time */
        const char *next = bytes.bytes + length;

        if ((classes[(uint8_t)next[0]] & classes[(uint8_t)next[1]] & classes[(uint8_t)next[2]] &
             classes[(uint8_t)next[3]] & byte_class) == 0) {
            break;
        }
        length += 4;
    }
    while (length < bytes.length && http_byte_is(bytes.bytes[length], byte_class)) {
        length++;
    }
    return length;
}

/* Whether one of eight bytes is below 0x20 or is DEL: also HTAB, so a look at each must follow. */
static bool may_hold_control(const char *eight_bytes)
{
    const uint64_t each = 0x0101010101010101;
    uint64_t bytes = 0;
    uint64_t deletes = 0;

    memcpy(&bytes, eight_bytes, sizeof(bytes));
    deletes = bytes ^ (each * 0x7f);
    return ((((bytes - each * ' ') & ~bytes) | ((deletes - each) & ~deletes)) & (each * 0x80)) != 0;
}

size_t http_span_value(struct str bytes)
{
    size_t length = 0;

    while (bytes.length - length >= sizeof(uint64_t)) {
        const struct str next = {bytes.bytes + length, sizeof(uint64_t)};

        if (may_hold_control(next.bytes)) {
            const size_t allowed = http_span(next, HTTP_VALUE_BYTE);

            if (allowed < next.length) {
                return length + allowed;
            }
        }
        length += next.length;
    }
    return length + http_span(str_from_index(bytes, length), HTTP_VALUE_BYTE);
}

/* RFC 3986 3.2.2; a zone (RFC 6874) means nothing to others, and IPvFuture is none yet. */
static bool ip_literal_is_valid(struct str address)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr parsed;

    if (address.length >= sizeof(text) || memchr(address.bytes, '\0', address.length)) {
        return false;
    }
    memcpy(text, address.bytes, address.length);
    text[address.length] = '\0';
    return inet_pton(AF_INET6, text, &parsed) == 1;
}

/* With its colon; the digits may be missing (RFC 3986 3.2.3). */
static bool port_is_valid(struct str port)
{
    const struct str digits = str_from_index(port, 1);
    uint64_t number = 0;

    if (port.bytes[0] != ':') {
        return false;
    }
    return digits.length == 0 || (str_parse_uint64(digits, &number) && number <= PORT_MAX);
}

bool http_authority_is_valid(struct str authority)
{
    const bool is_literal = authority.length > 0 && authority.bytes[0] == '[';
    const size_t host_length =
        is_literal ? str_index_of(authority, ']') + 1 : http_span(authority, HTTP_HOST_BYTE);

    if (host_length == 0 || host_length > authority.length) {
        return false;
    }
    if (is_literal && !ip_literal_is_valid(str_slice(authority, 1, host_length - 1))) {
        return false;
    }
    return host_length == authority.length || port_is_valid(str_from_index(authority, host_length));
}
