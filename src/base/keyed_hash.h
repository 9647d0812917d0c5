#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { KEYED_HASH_BYTES = 32 };

/* HMAC-SHA256 (RFC 2104) of a text. The code may take the key's place. */
void hmac_sha256_of(struct str key, struct str text, uint8_t code_out[KEYED_HASH_BYTES]);

/*
 * The same under a key that nobody else has: what stands for a secret where one has to be
 * recognised, in a cache or a table, without being kept.
 */
struct keyed_hash {
    uint8_t key[KEYED_HASH_BYTES];
};

/* With a fresh random key. */
void keyed_hash_init(struct keyed_hash *hash);

/* With a key of its own that follows from a secret and a purpose: the same in every process. */
void keyed_hash_derive(struct keyed_hash *hash, struct str secret, const char *purpose);
void keyed_hash_release(struct keyed_hash *hash);

/* Of all parts in order; their lengths are hashed too, so that no two lists are alike. */
void keyed_hash_of(const struct keyed_hash *hash, const struct str *parts, size_t count,
                   uint8_t hash_out[KEYED_HASH_BYTES]);
