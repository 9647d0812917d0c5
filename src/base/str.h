#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"

/*
 * A borrowed run of bytes: somebody else owns them, they need no terminating NUL and may hold any
 * value. Passed by value. {NULL, 0} is the empty string, and means "absent" where a header says so.
 */
struct str {
    const char *bytes;
    size_t length;
};

/* For printf: `"%.*s", STR_FORMAT(name)`; cuts at INT_MAX. */
#define STR_FORMAT(s) (int)(s).length, (s).bytes

/* A literal as a str, also in a static initialiser. */
#define STR_LITERAL(literal)                                                                       \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

/* The str of a C string, which it borrows; NULL gives the empty string. */
struct str str_from(const char *text);

bool str_equal(struct str a, struct str b);

/* Compares ASCII letters without regard to case, as HTTP field names do (RFC 9110 5.1). */
bool str_equal_ignoring_case(struct str a, struct str b);
bool str_is(struct str s, const char *text);
bool str_is_ignoring_case(struct str s, const char *text);
bool str_starts_with(struct str s, const char *prefix);
bool str_starts_with_ignoring_case(struct str s, const char *prefix);
bool str_ends_with(struct str s, const char *suffix);

/* Orders by unsigned byte value, a prefix before what it begins: <0, 0 or >0. */
int str_compare(struct str a, struct str b);

/* The part from `begin` on; both bounds are cut to the string's. */
struct str str_from_index(struct str s, size_t begin);
struct str str_slice(struct str s, size_t begin, size_t end);

/* Without leading and trailing spaces and tabs (RFC 9110 5.6.3 OWS). */
struct str str_trim(struct str s);

/* Where the byte first (last) stands, or s.length if nowhere. */
size_t str_index_of(struct str s, char byte);
size_t str_last_index_of(struct str s, char byte);

/*
 * Takes the part of *rest before the first separator and moves *rest behind it. False, with nothing
 * changed, once *rest is used up (its bytes are NULL then).
 */
bool str_cut(struct str *rest, char separator, struct str *part_out);

/* A decimal number without sign, space or overflow; leading zeros are allowed. False otherwise. */
MUST_USE bool str_parse_uint64(struct str s, uint64_t *number_out);

/* A byte's value as a hexadecimal digit of either case, or -1. */
int str_hex_value(char digit);
