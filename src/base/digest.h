#pragma once

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
