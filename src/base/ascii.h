#pragma once

#include <stdbool.h>

/* The classes of ASCII, whatever the locale; no byte beyond ASCII is in one. */

static inline bool ascii_is_lower(char byte)
{
    return byte >= 'a' && byte <= 'z';
}

static inline bool ascii_is_upper(char byte)
{
    return byte >= 'A' && byte <= 'Z';
}

static inline bool ascii_is_letter(char byte)
{
    return ascii_is_lower(byte) || ascii_is_upper(byte);
}

static inline bool ascii_is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static inline bool ascii_is_letter_or_digit(char byte)
{
    return ascii_is_letter(byte) || ascii_is_digit(byte);
}

static inline char ascii_lower(char byte)
{
    return ascii_is_upper(byte) ? (char)(byte + ('a' - 'A')) : byte;
}
