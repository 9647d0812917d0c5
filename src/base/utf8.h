#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/*
 * The length of the well-formed UTF-8 character that the text begins with (RFC 3629: no overlong
 * forms, no surrogates, nothing above U+10FFFF), or 0 if it begins with none.
 */
size_t utf8_character_length(struct str text);

/* How many leading bytes are ASCII that JSON need not escape. */
size_t utf8_plain_prefix(struct str text);

bool utf8_is_valid(struct str text);
