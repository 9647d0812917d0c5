#include "fuzz.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "http/range.h"
#include "http/request.h"

static void check_range(struct str value, uint64_t size_bytes);
static bool are_apart(const struct http_range *first, const struct http_range *second);
static void check_content_range(struct str value);
static void check_conditional(struct str value);
static void check_decoding(struct str encoded);
static void check_parameter(struct str query);

/* Small readers of one value each; the first eight bytes are the size of the content. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    uint64_t size_bytes = 0;
    struct str value = {(const char *)bytes, length};

    if (length < sizeof(size_bytes)) {
        return 0;
    }
    memcpy(&size_bytes, bytes, sizeof(size_bytes));
    value = str_from_index(value, sizeof(size_bytes));
    check_range(value, size_bytes);
    check_content_range(value);
    check_conditional(value);
    check_decoding(value);
    check_parameter(value);
    return 0;
}

static void check_range(struct str value, uint64_t size_bytes)
{
    struct http_ranges found = {.count = 0};

    if (http_range_parse(value, size_bytes, &found) != HTTP_RANGE_PARTS) {
        assert(found.count == 0);
        return;
    }
    assert(found.count > 0);
    assert(found.count <= HTTP_RANGES_MAX);
    for (size_t i = 0; i < found.count; i++) {
        const struct http_range *const range = &found.ranges[i];

        assert(range->length_bytes > 0);
        assert(range->offset_bytes < size_bytes);
        assert(range->length_bytes <= size_bytes - range->offset_bytes);
        for (size_t j = 0; j < i; j++) {
            assert(are_apart(range, &found.ranges[j]) || are_apart(&found.ranges[j], range));
        }
    }
}

static bool are_apart(const struct http_range *first, const struct http_range *second)
{
    const uint64_t end = first->offset_bytes + first->length_bytes;

    return second->offset_bytes > end && second->offset_bytes - end >= HTTP_RANGE_GAP_BYTES;
}

static void check_content_range(struct str value)
{
    uint64_t first = 0;
    uint64_t last = 0;

    if (http_content_range_parse(value, &first, &last)) {
        assert(first <= last);
    } else {
        assert(first == 0);
        assert(last == 0);
    }
}

/* What allows a part names the tag, so it must match as a list of one, too. */
static void check_conditional(struct str value)
{
    const struct str etag = STR_LITERAL("\"a,b\"");

    if (http_if_range(value, etag)) {
        assert(http_if_none_match(value, etag) || !value.bytes);
    }
    if (http_if_none_match(value, etag)) {
        assert(str_index_of(value, '*') < value.length || str_index_of(value, '"') < value.length);
    }
}

/* A text that is decoded fits in just as many bytes as it has with its NUL. */
static void check_decoding(struct str encoded)
{
    char *decoded = memory_new(encoded.length + 1, 1);
    size_t length = 0;

    if (http_percent_decode(encoded, decoded, encoded.length + 1)) {
        length = strlen(decoded);
        assert(length <= encoded.length);
        assert(length == encoded.length || str_index_of(encoded, '%') < encoded.length);
        decoded = memory_resize(decoded, length + 1, 1);
        assert(http_percent_decode(encoded, decoded, length + 1));
        assert(strlen(decoded) == length);
        assert(length == 0 || !http_percent_decode(encoded, decoded, length));
    }
    free(decoded);
}

static void check_parameter(struct str query)
{
    struct http_request request;
    enum http_parameter found = HTTP_PARAMETER_FOUND;
    char value[16];
    size_t position = 0;
    size_t before = 0;

    request.query = query;
    while (found != HTTP_PARAMETER_ABSENT) {
        found = http_request_next_parameter(&request, "n", &position, value, sizeof(value));
        assert(position >= before);
        assert(position <= query.length);
        before = position;
        if (found == HTTP_PARAMETER_FOUND) {
            assert(strlen(value) < sizeof(value));
            assert(utf8_is_valid(str_from(value)));
        }
    }
}
