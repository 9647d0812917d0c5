#include "base/utf8.h"

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

static const struct {
    uint32_t first;
    uint32_t last;
} hidden[] = {
    {0x80, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},     {0x61c, 0x61c},   {0x115f, 0x1160},
    {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e}, {0x2060, 0x206f},
    {0x3164, 0x3164},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0}, {0xfff0, 0xfffb},
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

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

uint32_t utf8_code_point(struct str character)
{
    uint32_t point = (uint8_t)character.bytes[0];

    if (character.length > 1) {
        point &= 0x7fU >> character.length;
    }
    for (size_t i = 1; i < character.length; i++) {
        point = point << 6 | ((uint8_t)character.bytes[i] & 0x3fU);
    }
    return point;
}

bool utf8_is_hidden(struct str character)
{
    const uint32_t point = utf8_code_point(character);

    for (size_t i = 0; i < ARRAY_LEN(hidden); i++) {
        if (point >= hidden[i].first && point <= hidden[i].last) {
            return true;
        }
    }
    return false;
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
