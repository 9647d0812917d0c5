#pragma once

#include <nettle/sha2.h>

#include "base/digest.h"
#include "base/str.h"

/*
 * A hash in progress. A plain value without pointers: it may be copied, and stored to go on after a
 * restart on the same kind of machine (hasher_save). That is why it is nettle's and not OpenSSL's.
 */
struct hasher {
    enum digest_algorithm algorithm;
    union {
        struct sha256_ctx sha256;
        struct sha512_ctx sha512;
    } state;
};

enum { HASHER_SAVED_BYTES = sizeof(struct hasher) };

void hasher_init(struct hasher *hasher, enum digest_algorithm algorithm);
void hasher_update(struct hasher *hasher, struct str bytes);

/* The digest of all that was given so far. The hasher may go on. */
struct digest hasher_digest(const struct hasher *hasher);

/* As a blob of HASHER_SAVED_BYTES that hasher_restore reads, borrowed from the hasher. */
struct str hasher_save(const struct hasher *hasher);

/* False if `saved` was not written by hasher_save of a build with the same layout. */
MUST_USE bool hasher_restore(struct hasher *hasher, struct str saved);

/* The digest of bytes that are all at hand. */
struct digest hasher_digest_of(enum digest_algorithm algorithm, struct str bytes);
