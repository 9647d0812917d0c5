#include "base/random.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { ENTROPY_MAX_BYTES = 256 }; /* of one getentropy(3) */

void random_fill(void *bytes_out, size_t length)
{
    char *next = bytes_out;

    while (length > 0) {
        const size_t part = length < ENTROPY_MAX_BYTES ? length : ENTROPY_MAX_BYTES;

        if (getentropy(next, part) < 0) {
            abort(); /* there is no kernel without */
        }
        next += part;
        length -= part;
    }
}

void random_id(char text_out[RANDOM_ID_BYTES])
{
    static const char hex[] = "0123456789abcdef";
    uint8_t bytes[(RANDOM_ID_BYTES - 1) / 2];

    random_fill(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        text_out[2 * i] = hex[bytes[i] >> 4];
        text_out[2 * i + 1] = hex[bytes[i] & 15];
    }
    text_out[RANDOM_ID_BYTES - 1] = '\0';
}

enum { WORD_BYTES = 8, LAST_ROUNDS = 4 };

struct sip {
    uint64_t v0;
    uint64_t v1;
    uint64_t v2;
    uint64_t v3;
};

void hash_key_init(struct hash_key *key)
{
    random_fill(key->words, sizeof(key->words));
}

static uint64_t random_rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void mix(struct sip *sip)
{
    sip->v0 += sip->v1;
    sip->v1 = random_rotate(sip->v1, 13) ^ sip->v0;
    sip->v0 = random_rotate(sip->v0, 32);
    sip->v2 += sip->v3;
    sip->v3 = random_rotate(sip->v3, 16) ^ sip->v2;
    sip->v0 += sip->v3;
    sip->v3 = random_rotate(sip->v3, 21) ^ sip->v0;
    sip->v2 += sip->v1;
    sip->v1 = random_rotate(sip->v1, 17) ^ sip->v2;
    sip->v2 = random_rotate(sip->v2, 32);
}

static void mix_word(struct sip *sip, uint64_t word)
{
    sip->v3 ^= word;
    mix(sip);
    mix(sip);
    sip->v0 ^= word;
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
