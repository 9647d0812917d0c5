#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "http/response.h"

/*
 * What of its content a request wants: by its conditions, whether anything (RFC 9110 13), and by
 * its ranges, which parts (14).
 */

/*
 * Whether an If-None-Match value (RFC 9110 13.1.2; `*` or a list, weak tags compare equal) names
 * the strong entity tag, which is given with its quotes. So that a GET is answered 304.
 */
bool http_if_none_match(struct str value, struct str etag);

/*
 * Whether an If-Range value (13.1.5) allows a part to be sent: exactly the strong tag, or an absent
 * field ({NULL, 0}).
 */
bool http_if_range(struct str value, struct str etag);

enum http_range_result {
    HTTP_RANGE_WHOLE,         /* no range, too many, another unit or not well-formed: send all */
    HTTP_RANGE_PARTS,         /* 206 */
    HTTP_RANGE_UNSATISFIABLE, /* 416 */
};

enum {
    HTTP_RANGES_MAX = 64,       /* of one request */
    HTTP_RANGE_GAP_BYTES = 128, /* about what the head of another part takes */
};

struct http_range {
    uint64_t offset_bytes;
    uint64_t length_bytes; /* never 0 */
};

struct http_ranges {
    struct http_range ranges[HTTP_RANGES_MAX];
    size_t count;
};

/*
 * Reads a Range field (RFC 9110 14.2) against content of size_bytes; an absent one is the empty
 * string. Ranges that overlap, or that less than HTTP_RANGE_GAP_BYTES is between, become one
 * (15.3.7.2), so that no request costs more than the whole and some heads of parts; what begins
 * behind the end is left out. The result is written for HTTP_RANGE_PARTS alone.
 */
enum http_range_result http_range_parse(struct str value, uint64_t size_bytes,
                                        struct http_ranges *ranges_out);

/* What the parts of a response have in common. */
struct http_multipart {
    const char *boundary;     /* nothing that the content's author could foresee */
    const char *content_type; /* of each part */
    uint64_t size_bytes;      /* of the whole content */
};

/*
 * The body of a multipart/byteranges response (14.6): a part for each range, and one without bytes
 * that closes it. In the arena; NULL beyond its limit.
 */
struct http_part *http_range_new_parts(const struct http_ranges *ranges,
                                       const struct http_multipart *multipart, struct arena *arena);

/*
 * Reads the Content-Range of an upload's chunk, as clients send it: `A-B` (distribution-spec
 * "Pushing a blob in chunks") or `bytes A-B/N`
 * (RFC 9110 14.4; N is the whole size, or an asterisk). False unless A <= B.
 */
bool http_content_range_parse(struct str value, uint64_t *first_out, uint64_t *last_out);
