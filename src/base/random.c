#include "base/random.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void random_fill(void *bytes_out, size_t length)
{
    char *next = bytes_out;

    while (length > 0) {
        const ssize_t got = getrandom(next, length, 0);

        if (got > 0) {
            next += got;
            length -= (size_t)got;
        } else if (got == 0) {
            abort(); /* getrandom(2) gives at least a byte or an error */
        }
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
