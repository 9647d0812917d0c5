#include "base/utf8.h"

#include <stdint.h>

/* RFC 3629 section 4: what may follow each kind of first byte. */
static const struct {
    uint8_t first_low, first_high;
    uint8_t second_low, second_high;
    size_t length;
} forms[] = {
    {0x00, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static bool has_tail(struct str text, size_t length, uint8_t second_low, uint8_t second_high);

size_t utf8_character_length(struct str text)
{
    const uint8_t first = text.length == 0 ? 0xff : (uint8_t)text.bytes[0];

    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (first >= forms[i].first_low && first <= forms[i].first_high) {
            return has_tail(text, forms[i].length, forms[i].second_low, forms[i].second_high)
                       ? forms[i].length
                       : 0;
        }
    }
    return 0;
}

static bool has_tail(struct str text, size_t length, uint8_t second_low, uint8_t second_high)
{
    if (text.length < length) {
        return false;
    }
    for (size_t i = 1; i < length; i++) {
        const uint8_t byte = (uint8_t)text.bytes[i];

        if (byte < (i == 1 ? second_low : 0x80) || byte > (i == 1 ? second_high : 0xbf)) {
            return false;
        }
    }
    return true;
}

size_t utf8_plain_prefix(struct str text)
{
    size_t length = 0;

    while (length < text.length) {
        const uint8_t byte = (uint8_t)text.bytes[length];

        if (byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\') {
            break;
        }
        length++;
    }
    return length;
}

bool utf8_is_valid(struct str text)
{
    while (text.length > 0) {
        const size_t length = utf8_character_length(text);

        if (length == 0) {
            return false;
        }
        text = str_from_index(text, length);
    }
    return true;
}
