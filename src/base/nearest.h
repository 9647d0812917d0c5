#pragma once

#include <stddef.h>

#include "base/str.h"

/*
 * Finds what somebody meant who wrote a name that does not exist: offer every name that does, then
 * ask. Case is ignored and '.' equals '_', so that keys and environment names are compared alike.
 */
struct nearest {
    struct str wrong;
    struct str best; /* {NULL, 0} as long as nothing is near enough */
    size_t best_distance;
};

void nearest_init(struct nearest *nearest, struct str wrong);

/* `name` must outlive the search. Of equally near names the first offered wins. */
void nearest_offer(struct nearest *nearest, struct str name);

/* How to go on after `unknown key "X"`: `; did you mean "Y"?`, or nothing. */
enum { NEAREST_HINT_BYTES = 128 };
void nearest_hint(const struct nearest *nearest, char text_out[NEAREST_HINT_BYTES]);
