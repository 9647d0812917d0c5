#include "base/hash.h"

#include <string.h>

#include "base/random.h"

enum { WORD_BYTES = 8, LAST_ROUNDS = 4 };

struct sip {
    uint64_t v0;
    uint64_t v1;
    uint64_t v2;
    uint64_t v3;
};

static void mix_word(struct sip *sip, uint64_t word);
static void mix(struct sip *sip);
static uint64_t rotate(uint64_t word, unsigned bits);
static uint64_t read_word(const char *bytes, size_t length);

void hash_key_init(struct hash_key *key)
{
    random_fill(key->words, sizeof(key->words));
}

uint64_t hash_of(const struct hash_key *key, struct str bytes)
{
    struct sip sip = {
        .v0 = 0x736f6d6570736575U ^ key->words[0],
        .v1 = 0x646f72616e646f6dU ^ key->words[1],
        .v2 = 0x6c7967656e657261U ^ key->words[0],
        .v3 = 0x7465646279746573U ^ key->words[1],
    };
    const uint64_t length = bytes.length;

    while (bytes.length >= WORD_BYTES) {
        mix_word(&sip, read_word(bytes.bytes, WORD_BYTES));
        bytes = (struct str){bytes.bytes + WORD_BYTES, bytes.length - WORD_BYTES};
    }
    mix_word(&sip, read_word(bytes.bytes, bytes.length) | length << 56);
    sip.v2 ^= 0xff;
    for (int i = 0; i < LAST_ROUNDS; i++) {
        mix(&sip);
    }
    return sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
}

static void mix_word(struct sip *sip, uint64_t word)
{
    sip->v3 ^= word;
    mix(sip);
    mix(sip);
    sip->v0 ^= word;
}

static void mix(struct sip *sip)
{
    sip->v0 += sip->v1;
    sip->v1 = rotate(sip->v1, 13) ^ sip->v0;
    sip->v0 = rotate(sip->v0, 32);
    sip->v2 += sip->v3;
    sip->v3 = rotate(sip->v3, 16) ^ sip->v2;
    sip->v0 += sip->v3;
    sip->v3 = rotate(sip->v3, 21) ^ sip->v0;
    sip->v2 += sip->v1;
    sip->v1 = rotate(sip->v1, 17) ^ sip->v2;
    sip->v2 = rotate(sip->v2, 32);
}

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

/* In the machine's order: the hash never leaves the process. */
static uint64_t read_word(const char *bytes, size_t length)
{
    uint64_t word = 0;

    if (length > 0) {
        memcpy(&word, bytes, length);
    }
    return word;
}
