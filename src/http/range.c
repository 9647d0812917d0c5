#include "http/range.h"

#include <stddef.h>

static enum http_range_result from_front(struct str first, struct str last, uint64_t size_bytes,
                                         uint64_t *offset_out, uint64_t *length_out);
static enum http_range_result from_back(struct str suffix, uint64_t size_bytes,
                                        uint64_t *offset_out, uint64_t *length_out);
static bool parse_position(struct str digits, uint64_t *position_out);
static bool complete_length_is_valid(struct str length, uint64_t last);

enum http_range_result http_range_parse(struct str value, uint64_t size_bytes, uint64_t *offset_out,
                                        uint64_t *length_out)
{
    const struct str unit = STR_LITERAL("bytes="); /* of any case: RFC 9110 14.1 */
    const struct str range = str_from_index(value, unit.length);
    const size_t dash = str_index_of(range, '-');
    const struct str first = str_slice(range, 0, dash);
    const struct str last = str_from_index(range, dash + 1);

    if (!str_equal_ignoring_case(str_slice(value, 0, unit.length), unit) || dash == range.length) {
        return HTTP_RANGE_WHOLE;
    }
    return first.length == 0 ? from_back(last, size_bytes, offset_out, length_out)
                             : from_front(first, last, size_bytes, offset_out, length_out);
}

static enum http_range_result from_front(struct str first, struct str last, uint64_t size_bytes,
                                         uint64_t *offset_out, uint64_t *length_out)
{
    uint64_t begin = 0;
    uint64_t end = UINT64_MAX; /* the last byte's position */

    if (!parse_position(first, &begin) || (last.length > 0 && !parse_position(last, &end)) ||
        end < begin) {
        return HTTP_RANGE_WHOLE;
    }
    if (begin >= size_bytes) {
        return HTTP_RANGE_UNSATISFIABLE;
    }
    *offset_out = begin;
    *length_out = (end < size_bytes ? end + 1 : size_bytes) - begin;
    return HTTP_RANGE_PART;
}

static enum http_range_result from_back(struct str suffix, uint64_t size_bytes,
                                        uint64_t *offset_out, uint64_t *length_out)
{
    uint64_t length = 0;

    if (!parse_position(suffix, &length)) {
        return HTTP_RANGE_WHOLE;
    }
    if (length == 0) {
        return HTTP_RANGE_UNSATISFIABLE;
    }
    if (size_bytes == 0) { /* satisfiable, but no Content-Range can tell it */
        return HTTP_RANGE_WHOLE;
    }
    *length_out = length < size_bytes ? length : size_bytes;
    *offset_out = size_bytes - *length_out;
    return HTTP_RANGE_PART;
}

/* Beyond 64 bits is as far as 64 bits go: no content ends there. */
static bool parse_position(struct str digits, uint64_t *position_out)
{
    for (size_t i = 0; i < digits.length; i++) {
        if (digits.bytes[i] < '0' || digits.bytes[i] > '9') {
            return false;
        }
    }
    if (!str_parse_uint64(digits, position_out)) {
        *position_out = UINT64_MAX;
    }
    return digits.length > 0;
}

bool http_content_range_parse(struct str value, uint64_t *first_out, uint64_t *last_out)
{
    const struct str unit = STR_LITERAL("bytes ");
    const bool has_unit = str_equal_ignoring_case(str_slice(value, 0, unit.length), unit);
    const struct str rest = has_unit ? str_from_index(value, unit.length) : value;
    const size_t slash = has_unit ? str_index_of(rest, '/') : rest.length;
    const size_t dash = str_index_of(rest, '-');
    uint64_t first = 0;
    uint64_t last = 0;

    if (!str_parse_uint64(str_slice(rest, 0, dash), &first) ||
        !str_parse_uint64(str_slice(rest, dash + 1, slash), &last) || first > last) {
        return false;
    }
    if (has_unit && !complete_length_is_valid(str_from_index(rest, slash + 1), last)) {
        return false;
    }
    *first_out = first;
    *last_out = last;
    return true;
}

static bool complete_length_is_valid(struct str length, uint64_t last)
{
    uint64_t number = 0;

    return str_is(length, "*") || (str_parse_uint64(length, &number) && number > last);
}
