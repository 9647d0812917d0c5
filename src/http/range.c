#include "http/range.h"

#include <stddef.h>
#include <string.h>

#include "base/ascii.h"

/*
 * Takes an entity tag (RFC 9110 8.8.3), without its W/, from the front, with the white space and
 * commas around it. Commas may also stand between its quotes. False at the end or at nonsense.
 */
static bool cut_tag(struct str *rest, struct str *tag_out)
{
    size_t end = 0;

    while (rest->length > 0 &&
           (rest->bytes[0] == ',' || rest->bytes[0] == ' ' || rest->bytes[0] == '\t')) {
        *rest = str_from_index(*rest, 1);
    }
    if (str_starts_with(*rest, "W/")) {
        *rest = str_from_index(*rest, sizeof("W/") - 1);
    }
    if (!str_starts_with(*rest, "\"")) {
        return false;
    }
    end = 1 + str_index_of(str_from_index(*rest, 1), '"');
    if (end == rest->length) {
        return false;
    }
    *tag_out = str_slice(*rest, 0, end + 1);
    *rest = str_trim(str_from_index(*rest, end + 1));
    return rest->length == 0 || rest->bytes[0] == ',';
}

bool http_if_none_match(struct str value, struct str etag)
{
    struct str rest = str_trim(value);
    struct str tag = {0};

    if (str_is(rest, "*")) {
        return true;
    }
    while (cut_tag(&rest, &tag)) {
        if (str_equal(tag, etag)) {
            return true;
        }
    }
    return false;
}

bool http_if_range(struct str value, struct str etag)
{
    return !value.bytes || str_equal(str_trim(value), etag);
}

/* Beyond 64 bits is as far as 64 bits go: no content ends there. */
static bool parse_position(struct str digits, uint64_t *position_out)
{
    for (size_t i = 0; i < digits.length; i++) {
        if (!ascii_is_digit(digits.bytes[i])) {
            return false;
        }
    }
    if (!str_parse_uint64(digits, position_out)) {
        *position_out = UINT64_MAX;
    }
    return digits.length > 0;
}

static enum http_range_result from_back(struct str suffix, uint64_t size_bytes,
                                        struct http_range *range_out)
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
    length = length < size_bytes ? length : size_bytes;
    *range_out = (struct http_range){size_bytes - length, length};
    return HTTP_RANGE_PARTS;
}

static enum http_range_result from_front(struct str first, struct str last, uint64_t size_bytes,
                                         struct http_range *range_out)
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
    *range_out = (struct http_range){begin, (end < size_bytes ? end + 1 : size_bytes) - begin};
    return HTTP_RANGE_PARTS;
}

static enum http_range_result parse_one(struct str range, uint64_t size_bytes,
                                        struct http_range *range_out)
{
    const size_t dash = str_index_of(range, '-');
    const struct str first = str_slice(range, 0, dash);
    const struct str last = str_from_index(range, dash + 1);

    if (dash == range.length) {
        return HTTP_RANGE_WHOLE;
    }
    return first.length == 0 ? from_back(last, size_bytes, range_out)
                             : from_front(first, last, size_bytes, range_out);
}

static uint64_t end_of(const struct http_range *range)
{
    return range->offset_bytes + range->length_bytes;
}

static bool are_near(const struct http_range *range, const struct http_range *other)
{
    const struct http_range *const first =
        range->offset_bytes < other->offset_bytes ? range : other;
    const struct http_range *const second = first == range ? other : range;

    return second->offset_bytes <= end_of(first) ||
           second->offset_bytes - end_of(first) < HTTP_RANGE_GAP_BYTES;
}

static struct http_range range_join(const struct http_range *range, const struct http_range *other)
{
    const uint64_t begin =
        range->offset_bytes < other->offset_bytes ? range->offset_bytes : other->offset_bytes;
    const uint64_t end = end_of(range) > end_of(other) ? end_of(range) : end_of(other);

    return (struct http_range){begin, end - begin};
}

/* Takes those out that it is near to, of which it may become near to others. */
static void range_add(struct http_ranges *ranges, struct http_range range)
{
    size_t i = 0;

    while (i < ranges->count) {
        struct http_range *const other = &ranges->ranges[i];

        if (!are_near(&range, other)) {
            i++;
            continue;
        }
        range = range_join(&range, other);
        ranges->count--;
        memmove(other, other + 1, (ranges->count - i) * sizeof(*other));
        i = 0;
    }
    ranges->ranges[ranges->count++] = range;
}

enum http_range_result http_range_parse(struct str value, uint64_t size_bytes,
                                        struct http_ranges *ranges_out)
{
    const struct str unit = STR_LITERAL("bytes="); /* of any case: RFC 9110 14.1 */
    struct str rest = str_from_index(value, unit.length);
    struct http_ranges ranges = {.count = 0};
    struct str one = {0};
    size_t asked = 0;

    if (!str_equal_ignoring_case(str_slice(value, 0, unit.length), unit)) {
        return HTTP_RANGE_WHOLE;
    }
    while (str_cut(&rest, ',', &one)) {
        struct http_range range = {0, 0};
        enum http_range_result result = HTTP_RANGE_WHOLE;

        one = str_trim(one);
        if (one.length == 0) {
            continue; /* RFC 9110 5.6.1.2: lists may have empty elements */
        }
        result = parse_one(one, size_bytes, &range);
        if (result == HTTP_RANGE_WHOLE || ++asked > HTTP_RANGES_MAX) {
            return HTTP_RANGE_WHOLE;
        }
        if (result == HTTP_RANGE_PARTS) {
            range_add(&ranges, range);
        }
    }
    if (ranges.count == 0) {
        return asked > 0 ? HTTP_RANGE_UNSATISFIABLE : HTTP_RANGE_WHOLE;
    }
    *ranges_out = ranges;
    return HTTP_RANGE_PARTS;
}

struct http_part *http_range_new_parts(const struct http_ranges *ranges,
                                       const struct http_multipart *multipart, struct arena *arena)
{
    struct http_part *parts = arena_new(arena, ranges->count + 1, sizeof(*parts));
    const char *head = NULL;

    if (!parts) {
        return NULL;
    }
    for (size_t i = 0; i < ranges->count; i++) {
        const struct http_range *const range = &ranges->ranges[i];

        head = arena_format(
            arena, "%s--%s\r\nContent-Type: %s\r\nContent-Range: bytes %llu-%llu/%llu\r\n\r\n",
            i > 0 ? "\r\n" : "", multipart->boundary, multipart->content_type,
            (unsigned long long)range->offset_bytes, (unsigned long long)(end_of(range) - 1),
            (unsigned long long)multipart->size_bytes);
        if (!head) {
            return NULL;
        }
        parts[i] = (struct http_part){str_from(head), range->offset_bytes, range->length_bytes};
    }
    head = arena_format(arena, "\r\n--%s--\r\n", multipart->boundary);
    parts[ranges->count].head = str_from(head);
    return head ? parts : NULL;
}

static bool complete_length_is_valid(struct str length, uint64_t last)
{
    uint64_t number = 0;

    return str_is(length, "*") || (str_parse_uint64(length, &number) && number > last);
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
