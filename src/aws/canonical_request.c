#include "aws/canonical_request.h"

#include <assert.h>
#include <stdint.h>

#include "base/ascii.h"
#include "outbound/url.h"

typedef int pair_order(struct aws_pair a, struct aws_pair b);

void aws_canonical_path(struct strbuf *buf, struct str path)
{
    struct str segment;

    assert(str_starts_with(path, "/"));
    path = str_from_index(path, 1);
    while (str_cut(&path, '/', &segment)) {
        strbuf_append_byte(buf, '/');
        url_append_encoded(buf, segment);
    }
}

/* By insertion: there are few, and most are in order. */
static void sort(struct aws_pair *pairs, size_t count, pair_order *order)
{
    for (size_t i = 1; i < count; i++) {
        const struct aws_pair pair = pairs[i];
        size_t place = i;

        for (; place > 0 && order(pairs[place - 1], pair) > 0; place--) {
            pairs[place] = pairs[place - 1];
        }
        pairs[place] = pair;
    }
}

/* What is encoded begins with a percent sign, which is less than all that is not. */
static int encoded_rank(char byte)
{
    const bool is_unreserved =
        ascii_is_letter_or_digit(byte) || byte == '-' || byte == '.' || byte == '_' || byte == '~';

    return (unsigned char)byte + (is_unreserved ? UINT8_MAX + 1 : 0);
}

static int compare_encoded(struct str a, struct str b)
{
    for (size_t i = 0; i < a.length && i < b.length; i++) {
        if (a.bytes[i] != b.bytes[i]) {
            return encoded_rank(a.bytes[i]) - encoded_rank(b.bytes[i]);
        }
    }
    return (a.length > b.length) - (a.length < b.length);
}

/* By name, then by value, as they are when encoded. */
static int compare_parameters(struct aws_pair a, struct aws_pair b)
{
    const int by_name = compare_encoded(a.name, b.name);

    return by_name ? by_name : compare_encoded(a.value, b.value);
}

void aws_canonical_query(struct strbuf *buf, struct aws_pair *query, size_t count)
{
    sort(query, count, compare_parameters);
    for (size_t i = 0; i < count; i++) {
        strbuf_append_text(buf, i == 0 ? "" : "&");
        url_append_encoded(buf, query[i].name);
        strbuf_append_byte(buf, '=');
        url_append_encoded(buf, query[i].value);
    }
}

static int compare_names(struct aws_pair a, struct aws_pair b)
{
    return str_compare(a.name, b.name);
}

/* Several spaces count as one. */
static void append_collapsed(struct strbuf *buf, struct str value)
{
    for (size_t i = 0; i < value.length; i++) {
        if (value.bytes[i] != ' ' || value.bytes[i - 1] != ' ') {
            strbuf_append_byte(buf, value.bytes[i]);
        }
    }
}

void aws_canonical_headers(struct strbuf *buf, struct aws_pair *headers, size_t count)
{
    sort(headers, count, compare_names);
    for (size_t i = 0; i < count; i++) {
        strbuf_append(buf, headers[i].name);
        strbuf_append_byte(buf, ':');
        append_collapsed(buf, str_trim(headers[i].value));
        strbuf_append_byte(buf, '\n');
    }
}

void aws_canonical_names(struct strbuf *buf, const struct aws_pair *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        strbuf_append_text(buf, i == 0 ? "" : ";");
        strbuf_append(buf, headers[i].name);
    }
}
