#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/clock.h"

/* A clock whose hands a test turns, while other threads look at it. */
struct fake_clock {
    struct clock clock; /* first: what is passed on */
    _Atomic int64_t elapsed_ms;
};

/* Begins at 2015-05-07T15:49:51.230Z. */
void fake_clock_init(struct fake_clock *fake);
void fake_clock_advance(struct fake_clock *fake, int64_t duration_ms);
