#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum http_range_result {
    HTTP_RANGE_WHOLE, /* no range, several ranges, another unit or not well-formed: send all */
    HTTP_RANGE_PART,  /* 206 */
    HTTP_RANGE_UNSATISFIABLE, /* 416 */
};

/*
 * Reads a Range field (RFC 9110 14.2) against content of size_bytes. One range is served; a request
 * for several gets the whole, as 14.2 allows. An absent field is the empty string.
 */
enum http_range_result http_range_parse(struct str value, uint64_t size_bytes, uint64_t *offset_out,
                                        uint64_t *length_out);

/*
 * Reads the Content-Range of an upload's chunk, as clients send it: `A-B` (distribution-spec
 * "Pushing a blob in chunks") or `bytes A-B/N`
 * (RFC 9110 14.4; N is the whole size, or an asterisk). False unless A <= B.
 */
bool http_content_range_parse(struct str value, uint64_t *first_out, uint64_t *last_out);
