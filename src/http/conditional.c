#include "http/conditional.h"

#include <stddef.h>

static bool cut_tag(struct str *rest, struct str *tag_out);

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

bool http_if_range(struct str value, struct str etag)
{
    return !value.bytes || str_equal(str_trim(value), etag);
}
