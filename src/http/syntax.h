#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* What a byte may be part of; a byte can be of several classes. */
enum http_byte_class {
    HTTP_TOKEN_BYTE = 1, /* RFC 9110 5.6.2: methods and field names */
    HTTP_URI_BYTE = 2,   /* RFC 3986 2 without '#': a request target has no fragment */
    HTTP_VALUE_BYTE = 4, /* RFC 9110 5.5: HTAB, SP, VCHAR and obs-text */
    HTTP_HOST_BYTE = 8,  /* letters, digits and "-._", of which names of hosts are made */
};

extern const uint8_t http_byte_classes[256];

static inline bool http_byte_is(char byte, enum http_byte_class byte_class)
{
    return (http_byte_classes[(uint8_t)byte] & byte_class) != 0;
}

/* How many bytes at the beginning are of the class. */
size_t http_span(struct str bytes, enum http_byte_class byte_class);

/* The same for HTTP_VALUE_BYTE, eight bytes at a time: values are most of a head. */
size_t http_span_value(struct str bytes);

/*
 * Whether it is uri-host [ ":" port ] (RFC 9110 7.2) with a host that is not empty: an address or a
 * name as DNS has them. The sub-delims and percent-encodings that RFC 3986 allows in a host are
 * refused: no http server has such a name, and host names end up in links and in logs.
 */
bool http_authority_is_valid(struct str authority);
