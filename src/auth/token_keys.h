#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include "metadata/metadata.h"

/*
 * The keys that sign the registry's own tokens. They are made here, kept in the metadata sealed
 * (AES-256-GCM) under a secret that is not there, and shared by all instances that know the secret.
 * A new one is made every TOKEN_KEY_SIGNS_MS, and signs when all instances had the time to read it
 * (token_keys_refresh); old ones verify for as long as a token may live. One that is removed from
 * the metadata is revoked: each instance forgets it when it reads them again. Shared by threads.
 */
struct token_keys;

enum { TOKEN_KEY_BYTES = 32, TOKEN_SECRET_MIN_BYTES = 32 };

#define TOKEN_KEY_SIGNS_MS (INT64_C(24) * 60 * 60 * 1000)
#define TOKEN_KEY_VERIFIES_MS (2 * TOKEN_KEY_SIGNS_MS)
#define TOKEN_KEY_SPREADS_MS (INT64_C(3) * 60 * 1000) /* some times housekeeping's interval */

struct token_keys_config {
    struct metadata *metadata; /* not owned */
    struct str secret;         /* at least TOKEN_SECRET_MIN_BYTES; not needed afterwards */
    const struct clock *clock;
    struct log *log; /* told of keys that this secret does not open */
};

struct token_key {
    char id[RANDOM_ID_BYTES];
    uint8_t bytes[TOKEN_KEY_BYTES];
    int64_t created_ms;
};

/* Reads the keys, and makes one if none signs. Blocks on the database. */
MUST_USE enum error_code token_keys_new(const struct token_keys_config *config,
                                        struct token_keys **keys_out, struct error *err);

/* NULL is accepted. */
void token_keys_free(struct token_keys *keys);

/* Reads the keys again, makes a new one when it is time, removes the oldest. For housekeeping.
 * Blocks on the database. */
MUST_USE enum error_code token_keys_refresh(struct token_keys *keys, struct error *err);

/* The key that signs now. */
void token_keys_signer(struct token_keys *keys, struct token_key *key_out);

/*
 * The key of that id, if it still verifies. One that is not known may be another instance's new
 * one: the metadata is asked, though not more than once a second. Blocks on the database then.
 */
bool token_keys_find(struct token_keys *keys, struct str id, struct token_key *key_out);

/* Grows whenever a key that was known verifies no more. Does not block. */
unsigned long token_keys_generation(struct token_keys *keys);
