#include "base/token.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/clock.h"
#include "base/memory.h"

enum { MS_DIGITS = 3, TOKEN_MAX_BYTES = 64 * 1024 };

/* 9999-12-31T23:59:59Z: no date is later, so that sums do not overflow. */
static const uint64_t time_max_s = 253402300799;

static bool read_fraction(struct str digits, uint64_t *ms_out)
{
    uint64_t ms = 0;

    for (size_t i = 0; i < digits.length; i++) {
        if (!ascii_is_digit(digits.bytes[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < MS_DIGITS; i++) {
        ms = 10 * ms + (i < digits.length ? (uint64_t)(digits.bytes[i] - '0') : 0);
    }
    *ms_out = ms;
    return digits.length > 0;
}

/* Digits, and a fraction at most: neither sign nor exponent nor space. */
static bool read_text(struct str text, int64_t *time_ms_out)
{
    const size_t point = str_index_of(text, '.');
    uint64_t seconds = 0;
    uint64_t ms = 0;

    if (!str_parse_uint64(str_slice(text, 0, point), &seconds) || seconds > time_max_s ||
        (point < text.length && !read_fraction(str_from_index(text, point + 1), &ms))) {
        return false;
    }
    *time_ms_out = (int64_t)(seconds * MS_PER_SECOND + ms);
    return true;
}

static bool read_number(const struct json_value *json, int64_t *time_ms_out)
{
    double seconds = 0;

    if (!json_value_number(json, &seconds) || !(seconds >= 0 && seconds <= (double)time_max_s)) {
        return false;
    }
    *time_ms_out = (int64_t)(seconds * MS_PER_SECOND);
    return true;
}

enum token_time token_read_time(const struct json_value *object, const char *name,
                                int64_t *time_ms_out)
{
    const struct json_value *const json = json_value_member(object, name);
    bool is_read = false;

    if (!json || json_value_is_null(json)) {
        return TOKEN_TIME_ABSENT;
    }
    is_read = json_value_is_string(json) ? read_text(json_value_string(json), time_ms_out)
                                         : read_number(json, time_ms_out);
    return is_read ? TOKEN_TIME_TOLD : TOKEN_TIME_WRONG;
}

bool token_peek_expiry(struct str token, int64_t *expires_ms_out)
{
    struct str rest = token;
    struct str header;
    struct str claims;
    struct json_value *json = NULL;
    bool is_told = false;

    if (token.length > TOKEN_MAX_BYTES || !str_cut(&rest, '.', &header) ||
        !str_cut(&rest, '.', &claims) || str_index_of(rest, '.') < rest.length || !rest.bytes) {
        return false;
    }
    json = token_decode_part(claims);
    is_told = token_read_time(json, "exp", expires_ms_out) == TOKEN_TIME_TOLD;
    json_value_free(json);
    return is_told;
}

struct json_value *token_decode_part(struct str part)
{
    const size_t capacity = BASE64URL_DECODED_BYTES(part.length);
    uint8_t *bytes = memory_new(capacity, 1);
    const long length = base64url_decode(part, bytes);
    struct json_value *json = NULL;

    if (length >= 0) {
        (void)!json_value_parse_object((struct str){(const char *)bytes, (size_t)length}, &json,
                                       NULL);
    }
    explicit_bzero(bytes, capacity);
    free(bytes);
    return json;
}

static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum { BITS_OF_CHARACTER = 6, BITS_OF_BYTE = 8, CHARACTER_MASK = 0x3f };

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
