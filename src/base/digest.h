#pragma once

#include <nettle/sha2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/error.h"
#include "base/str.h"

/* The algorithms of the OCI image specification ("Digests"): "Registered algorithms". */
enum digest_algorithm {
    DIGEST_SHA256 = 0,
    DIGEST_SHA512,
};

enum {
    DIGEST_MAX_BYTES = 64,
    DIGEST_TEXT_BYTES = sizeof("sha512:") + 2 * DIGEST_MAX_BYTES, /* with the NUL */
};

/* The name of content by its hash. A value: valid once made, compared and copied freely. */
struct digest {
    enum digest_algorithm algorithm;
    uint8_t bytes[DIGEST_MAX_BYTES]; /* unused ones are zero */
};

/*
 * Reads `sha256:<64 hex digits>` or `sha512:<128 hex digits>`, lower case only, as the
 * specification says. ERROR_INVALID about DIGEST otherwise.
 */
MUST_USE enum error_code digest_parse(struct str text, struct digest *digest_out,
                                      struct error *err);

/* Writes the form that digest_parse reads. */
void digest_format(const struct digest *digest, char text_out[DIGEST_TEXT_BYTES]);

bool digest_equal(const struct digest *a, const struct digest *b);

/* "sha256" or "sha512". */
const char *digest_algorithm_name(enum digest_algorithm algorithm);

/* False for a name that is not one of ours. */
MUST_USE bool digest_algorithm_parse(struct str name, enum digest_algorithm *algorithm_out);

/* How many bytes the algorithm's hash has: 32 or 64. */
size_t digest_size_bytes(enum digest_algorithm algorithm);

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

enum { CHECKSUM_MD5_BYTES = 25 }; /* 16 bytes in base64, with the NUL */

/* The MD5 of bytes in base64, as Content-MD5 has it (RFC 1864): against accidents, not attacks. */
void checksum_md5(struct str bytes, char text_out[CHECKSUM_MD5_BYTES]);
