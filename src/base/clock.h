#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/attributes.h"
#include "base/str.h"

enum { MS_PER_SECOND = 1000, NS_PER_MS = 1000 * 1000 };

/*
 * Where the time comes from. Passed to whatever needs it, so that tests can turn the hands
 * (tests/support/fake_clock.h). Deadlines are monotonic; what people see is wall-clock time.
 */
struct clock {
    int64_t (*monotonic_ms)(const struct clock *clock);
    int64_t (*wall_ms)(const struct clock *clock); /* since 1970-01-01T00:00:00Z */
};

/* The machine's clock. */
extern const struct clock clock_system;

int64_t clock_monotonic_ms(const struct clock *clock);
int64_t clock_wall_ms(const struct clock *clock);

/* Microseconds, only for measuring how long something took. */
int64_t clock_elapsed_us(void);

/* A time or duration as the system's calls take it; not negative. */
struct timespec clock_timespec(int64_t time_ms);

/* Has the thread sleep; a signal cuts it short. */
void clock_pause(int64_t duration_ms);

enum { CLOCK_ISO_BYTES = sizeof("2015-05-07T15:49:51.230Z") };

/* UTC with milliseconds, as RFC 3339 writes it; years 1970 to 9999. */
void clock_format_iso(int64_t wall_ms, char text_out[CLOCK_ISO_BYTES]);

/* Reads what clock_format_iso writes, also with fewer or more digits of a second's fraction, or
 * with none: what is less than a millisecond does not count. False otherwise. */
MUST_USE bool clock_parse_iso(struct str text, int64_t *wall_ms_out);
