#include "base/base64url.h"

#include "base/ascii.h"

static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum { BITS_OF_CHARACTER = 6, BITS_OF_BYTE = 8, CHARACTER_MASK = 0x3f };

static int value_of(char character);
static void encode(struct str bytes, const char *alphabet, struct strbuf *text);

long base64url_decode(struct str text, uint8_t *bytes_out)
{
    long count = 0;
    uint32_t bits = 0;
    unsigned bit_count = 0;

    for (size_t i = 0; i < text.length; i++) {
        const int value = value_of(text.bytes[i]);

        if (value < 0) {
            return BASE64URL_NOT;
        }
        bits = (bits << BITS_OF_CHARACTER) | (uint32_t)value;
        bit_count += BITS_OF_CHARACTER;
        if (bit_count >= BITS_OF_BYTE) {
            bit_count -= BITS_OF_BYTE;
            bytes_out[count++] = (uint8_t)(bits >> bit_count);
            bits &= (1U << bit_count) - 1;
        }
    }
    /* A character alone is too little for a byte; what is left of others must be zero. */
    return bit_count == BITS_OF_CHARACTER || bits != 0 ? BASE64URL_NOT : count;
}

static int value_of(char character)
{
    if (ascii_is_upper(character)) {
        return character - 'A';
    }
    if (ascii_is_lower(character)) {
        return character - 'a' + 26;
    }
    if (ascii_is_digit(character)) {
        return character - '0' + 52;
    }
    if (character == '-') {
        return 62;
    }
    return character == '_' ? 63 : BASE64URL_NOT;
}

void base64url_encode(struct str bytes, struct strbuf *text)
{
    encode(bytes, url_alphabet, text);
}

void base64_encode(struct str bytes, struct strbuf *text)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char *const padding[] = {"", "==", "="};

    encode(bytes, alphabet, text);
    strbuf_append_text(text, padding[bytes.length % 3]);
}

static void encode(struct str bytes, const char *alphabet, struct strbuf *text)
{
    uint32_t bits = 0;
    unsigned bit_count = 0;

    for (size_t i = 0; i < bytes.length; i++) {
        bits = (bits << BITS_OF_BYTE) | (uint8_t)bytes.bytes[i];
        bit_count += BITS_OF_BYTE;
        while (bit_count >= BITS_OF_CHARACTER) {
            bit_count -= BITS_OF_CHARACTER;
            strbuf_append_byte(text, alphabet[(bits >> bit_count) & CHARACTER_MASK]);
        }
        bits &= (1U << bit_count) - 1;
    }
    if (bit_count > 0) {
        const uint32_t last = bits << (BITS_OF_CHARACTER - bit_count);

        strbuf_append_byte(text, alphabet[last & CHARACTER_MASK]);
    }
}
