#pragma once

#include <stddef.h>

#include "base/attributes.h"
#include "base/str.h"

/*
 * Bytes that were received and not used yet. They keep their place until input_reserve or
 * input_append, so that a request may point into them. Holds no memory while empty and released.
 */
struct input {
    char *bytes;
    size_t capacity_bytes;
    size_t begin;
    size_t end;
};

/* Wipes it. */
void input_release(struct input *input);

/* What is there, borrowed. */
struct str input_str(const struct input *input);

/* The first `length` bytes are used. Moves nothing. */
void input_consume(struct input *input, size_t length);

/* Wipes what is used: heads hold credentials. */
void input_wipe_used(struct input *input);

/*
 * Makes room for more, moving the bytes to the front and growing up to limit_bytes. Returns how
 * much room there is behind input_end: 0 when it is full.
 */
size_t input_reserve(struct input *input, size_t limit_bytes);

/* Where to receive into, and then how much was received there. */
char *input_end(struct input *input);
void input_extend(struct input *input, size_t length);

/* Adds bytes that were received elsewhere; grows as needed, which may move all. */
void input_append(struct input *input, struct str bytes);
