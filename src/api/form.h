#pragma once

#include "base/arena.h"
#include "base/str.h"

/* A field of a query or a form (URL Standard "application/x-www-form-urlencoded"), decoded: '+' is
 * a space. Both are in the arena. */
struct form_field {
    struct str name;
    struct str value;
};

/*
 * Takes the next field off *rest. False at the end; *is_valid_out is false for one that is badly
 * encoded, holds NUL, or is too long for the arena.
 */
bool form_next(struct str *rest, struct arena *arena, struct form_field *field_out,
               bool *is_valid_out);
