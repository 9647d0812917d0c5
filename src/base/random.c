#include "base/random.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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
