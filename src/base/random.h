#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Fills with bytes from the kernel's generator, fit for secrets. Never fails. */
void random_fill(void *bytes_out, size_t length);

enum { RANDOM_ID_BYTES = 33 };

/* 128 random bits as 32 lower case hexadecimal digits: an id that cannot be guessed. */
void random_id(char text_out[RANDOM_ID_BYTES]);

/*
 * Where an id lets in whoever has it, logs and messages have its beginning alone: enough to tell
 * one from another, and useless to who reads it.
 */
enum { RANDOM_ID_SHOWN_LENGTH = 8 };
#define RANDOM_ID_SHOWN "%.8s" /* for printf */

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
