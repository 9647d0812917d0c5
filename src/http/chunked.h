#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* What is expected next; chunked.c's own. */
enum chunked_state {
    CHUNKED_AT_SIZE, /* digits, then an extension or the line's end */
    CHUNKED_IN_EXTENSION,
    CHUNKED_AT_SIZE_LF,
    CHUNKED_IN_DATA,
    CHUNKED_AT_DATA_CR,
    CHUNKED_AT_DATA_LF,
    CHUNKED_AT_TRAILER, /* the beginning of a trailer line, or of the empty line that ends all */
    CHUNKED_IN_TRAILER_NAME,
    CHUNKED_IN_TRAILER_VALUE,
    CHUNKED_AT_TRAILER_LF,
    CHUNKED_AT_LAST_LF,
    CHUNKED_AT_END,
    CHUNKED_AT_ERROR,
    CHUNKED_AT_EXCESS,
};

/*
 * Takes the chunked transfer coding (RFC 9112 7.1) apart, piece by piece and without a buffer of
 * its own. Strict: CRLF only, sizes of up to 16 hexadecimal digits without overflow, chunk
 * extensions skipped up to a bound, trailer fields skipped up to a bound and never merged into the
 * head.
 */
struct chunked {
    enum chunked_state state;
    uint64_t left_bytes;    /* of the chunk being read */
    uint64_t allowed_bytes; /* of the chunks that come behind it; a caller may lower it */
    size_t overhead_bytes;  /* of the current size line, or of all trailers */
    unsigned digits;
};

enum chunked_result {
    CHUNKED_MORE,      /* all input is used up, the body is not at its end */
    CHUNKED_DATA,      /* *data_out holds body bytes; call again with the rest of the input */
    CHUNKED_END,       /* the body is complete; the rest of the input is the next request's */
    CHUNKED_BROKEN,    /* not the coding: 400 and close */
    CHUNKED_TOO_LARGE, /* a chunk begins that is larger than what is allowed: 413 and close */
};

void chunked_init(struct chunked *chunked);

/* Reads from the front of *input and moves it forward; *data_out borrows from it, never empty. */
enum chunked_result chunked_read(struct chunked *chunked, struct str *input, struct str *data_out);
