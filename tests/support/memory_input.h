#pragma once

#include <stddef.h>
#include <stdint.h>

#include "layers/layer_reader.h"

/* Gives bytes from memory to the reader of layers, in pieces, and fails where it is told to. */
struct memory_input {
    struct layer_input input; /* what is passed on */
    struct str bytes;
    size_t read_bytes;      /* so far */
    size_t piece_max_bytes; /* of one read */
    size_t fail_at_bytes;   /* from there on it fails with the code */
    enum error_code fail_code;
};

/* All at once, never failing. The input holds its own address: not to be copied. */
void memory_input_init(struct memory_input *memory, struct str bytes);

/* A clock that moves on by step_ms whenever somebody looks at it. */
struct ticking_clock {
    struct clock clock; /* first: what is passed on */
    int64_t *now_ms;
    int64_t step_ms;
};

void ticking_clock_init(struct ticking_clock *ticking, int64_t *now_ms, int64_t step_ms);
