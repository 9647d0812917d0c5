#include "base/keyed_hash.h"

#include <nettle/hmac.h>
#include <string.h>

#include "base/random.h"

void hmac_sha256_of(struct str key, struct str text, uint8_t code_out[KEYED_HASH_BYTES])
{
    struct hmac_sha256_ctx context;

    hmac_sha256_set_key(&context, key.length, (const uint8_t *)key.bytes);
    hmac_sha256_update(&context, text.length, (const uint8_t *)text.bytes);
    hmac_sha256_digest(&context, KEYED_HASH_BYTES, code_out);
    explicit_bzero(&context, sizeof(context));
}

void keyed_hash_init(struct keyed_hash *hash)
{
    random_fill(hash->key, sizeof(hash->key));
}

void keyed_hash_derive(struct keyed_hash *hash, struct str secret, const char *purpose)
{
    hmac_sha256_of(secret, str_from(purpose), hash->key);
}

void keyed_hash_release(struct keyed_hash *hash)
{
    explicit_bzero(hash->key, sizeof(hash->key));
}

void keyed_hash_of(const struct keyed_hash *hash, const struct str *parts, size_t count,
                   uint8_t hash_out[KEYED_HASH_BYTES])
{
    struct hmac_sha256_ctx context;

    hmac_sha256_set_key(&context, sizeof(hash->key), hash->key);
    for (size_t i = 0; i < count; i++) {
        const uint64_t length = parts[i].length;

        hmac_sha256_update(&context, sizeof(length), (const uint8_t *)&length);
        hmac_sha256_update(&context, parts[i].length, (const uint8_t *)parts[i].bytes);
    }
    hmac_sha256_digest(&context, KEYED_HASH_BYTES, hash_out);
    explicit_bzero(&context, sizeof(context));
}
