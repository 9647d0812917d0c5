#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/*
 * The length of the well-formed UTF-8 character that the text begins with (RFC 3629: no overlong
 * forms, no surrogates, nothing above U+10FFFF), or 0 if it begins with none.
 */
size_t utf8_character_length(struct str text);

/* Of one well-formed character. */
uint32_t utf8_code_point(struct str character);

/*
 * Whether a well-formed character of several bytes has no shape of its own, and may yet change what
 * is around it or make two names look alike: control characters (U+0080 to U+009F), marks and
 * overrides of direction, zero widths, separators of lines, tags, and all else that Unicode has
 * programs not show (Default_Ignorable_Code_Point).
 */
bool utf8_is_hidden(struct str character);

/* How many leading bytes are ASCII that JSON need not escape. */
size_t utf8_plain_prefix(struct str text);

bool utf8_is_valid(struct str text);
