#include "base/digest.h"

#include <assert.h>
#include <nettle/base64.h>
#include <nettle/md5.h>
#include <stdint.h>
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

void hasher_init(struct hasher *hasher, enum digest_algorithm algorithm)
{
    *hasher = (struct hasher){.algorithm = algorithm};
    switch (algorithm) {
    case DIGEST_SHA256:
        sha256_init(&hasher->state.sha256);
        return;
    case DIGEST_SHA512:
        sha512_init(&hasher->state.sha512);
        return;
    }
    assert(false);
}

void hasher_update(struct hasher *hasher, struct str bytes)
{
    const uint8_t *data = (const uint8_t *)bytes.bytes;

    switch (hasher->algorithm) {
    case DIGEST_SHA256:
        sha256_update(&hasher->state.sha256, bytes.length, data);
        return;
    case DIGEST_SHA512:
        sha512_update(&hasher->state.sha512, bytes.length, data);
        return;
    }
    assert(false);
}

struct digest hasher_digest(const struct hasher *hasher)
{
    struct digest digest = {.algorithm = hasher->algorithm};
    struct hasher copy = *hasher;

    switch (copy.algorithm) {
    case DIGEST_SHA256:
        sha256_digest(&copy.state.sha256, SHA256_DIGEST_SIZE, digest.bytes);
        break;
    case DIGEST_SHA512:
        sha512_digest(&copy.state.sha512, SHA512_DIGEST_SIZE, digest.bytes);
        break;
    }
    return digest;
}

struct str hasher_save(const struct hasher *hasher)
{
    return (struct str){(const char *)hasher, sizeof(*hasher)};
}

bool hasher_restore(struct hasher *hasher, struct str saved)
{
    struct hasher restored;

    if (saved.length != sizeof(restored)) {
        return false;
    }
    memcpy(&restored, saved.bytes, sizeof(restored));
    if (restored.algorithm != DIGEST_SHA256 && restored.algorithm != DIGEST_SHA512) {
        return false;
    }
    *hasher = restored;
    return true;
}

struct digest hasher_digest_of(enum digest_algorithm algorithm, struct str bytes)
{
    struct hasher hasher;

    hasher_init(&hasher, algorithm);
    hasher_update(&hasher, bytes);
    return hasher_digest(&hasher);
}

void checksum_md5(struct str bytes, char text_out[CHECKSUM_MD5_BYTES])
{
    const void *data = bytes.bytes;
    struct md5_ctx context;
    uint8_t hash[MD5_DIGEST_SIZE];

    md5_init(&context);
    md5_update(&context, bytes.length, data);
    md5_digest(&context, sizeof(hash), hash);
    base64_encode_raw(text_out, sizeof(hash), hash);
    text_out[CHECKSUM_MD5_BYTES - 1] = '\0';
}
