#include "base/digest.h"

#include <assert.h>
#include <string.h>

#include "base/ascii.h"

/* How much of a wrong digest an error repeats. */
enum { SHOWN_BYTES = 80 };

static const struct {
    const char *name;
    size_t size_bytes;
} algorithms[] = {
    [DIGEST_SHA256] = {"sha256", 32},
    [DIGEST_SHA512] = {"sha512", 64},
};

static bool parse_hex(struct str hex, uint8_t *bytes_out);

enum error_code digest_parse(struct str text, struct digest *digest_out, struct error *err)
{
    struct digest digest = {0};
    const size_t colon = str_index_of(text, ':');
    const struct str hex = str_from_index(text, colon + 1);

    if (!digest_algorithm_parse(str_slice(text, 0, colon), &digest.algorithm)) {
        return error_set_about(err, ABOUT_DIGEST, ERROR_INVALID,
                               "a digest begins with sha256: or sha512:, unlike '%.*s'",
                               STR_FORMAT(str_slice(text, 0, SHOWN_BYTES)));
    }
    if (hex.length != 2 * digest_size_bytes(digest.algorithm) || !parse_hex(hex, digest.bytes)) {
        return error_set_about(err, ABOUT_DIGEST, ERROR_INVALID,
                               "a %s digest has %zu lower case hexadecimal digits after the colon",
                               digest_algorithm_name(digest.algorithm),
                               2 * digest_size_bytes(digest.algorithm));
    }
    *digest_out = digest;
    return OK;
}

static bool parse_hex(struct str hex, uint8_t *bytes_out)
{
    for (size_t i = 0; i < hex.length; i += 2) {
        const int high = str_hex_value(hex.bytes[i]);
        const int low = str_hex_value(hex.bytes[i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        bytes_out[i / 2] = (uint8_t)(high * 16 + low);
    }
    for (size_t i = 0; i < hex.length; i++) {
        if (ascii_is_upper(hex.bytes[i])) {
            return false;
        }
    }
    return true;
}

void digest_format(const struct digest *digest, char text_out[DIGEST_TEXT_BYTES])
{
    static const char hex[] = "0123456789abcdef";
    const size_t name_length = strlen(algorithms[digest->algorithm].name);
    char *end = text_out + name_length;

    memcpy(text_out, algorithms[digest->algorithm].name, name_length);
    *end++ = ':';
    for (size_t i = 0; i < digest_size_bytes(digest->algorithm); i++) {
        *end++ = hex[digest->bytes[i] >> 4];
        *end++ = hex[digest->bytes[i] & 15];
    }
    *end = '\0';
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
    return a->algorithm == b->algorithm && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

const char *digest_algorithm_name(enum digest_algorithm algorithm)
{
    assert(algorithm < ARRAY_LEN(algorithms));
    return algorithms[algorithm].name;
}

bool digest_algorithm_parse(struct str name, enum digest_algorithm *algorithm_out)
{
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        if (str_is(name, algorithms[i].name)) {
            *algorithm_out = (enum digest_algorithm)i;
            return true;
        }
    }
    return false;
}

size_t digest_size_bytes(enum digest_algorithm algorithm)
{
    assert(algorithm < ARRAY_LEN(algorithms));
    return algorithms[algorithm].size_bytes;
}
