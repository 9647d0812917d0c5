#include "base/hasher.h"

#include <assert.h>
#include <string.h>

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
