#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "http/http_settings.h"

/* When a loop is to look at all its deadlines: often enough to meet them, and soon where somebody
 * is to go on in a moment. */
struct pace {
    int64_t interval_ms;
    int64_t next_ms; /* monotonic */
    bool is_hurried;
};

/* A deadline is met within an eighth of the shortest timeout. */
void pace_init(struct pace *pace, const struct http_limits *limits);

/* Whether it is time; then the next time is set. */
bool pace_is_due(struct pace *pace, int64_t now_ms);

/* The next time comes soon. */
void pace_hurry(struct pace *pace, int64_t now_ms);

/* How long to wait for events at most. */
int pace_wait_ms(const struct pace *pace);
