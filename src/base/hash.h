#pragma once

#include <stdint.h>

#include "base/str.h"

/*
 * SipHash-2-4 (Aumasson and Bernstein): a short hash for tables whose keys others choose. Who does
 * not know its key cannot make keys that meet in one place. Not for signatures.
 */
struct hash_key {
    uint64_t words[2];
};

/* Random. */
void hash_key_init(struct hash_key *key);

uint64_t hash_of(const struct hash_key *key, struct str bytes);
