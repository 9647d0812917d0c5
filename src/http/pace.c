#include "http/pace.h"

enum {
    INTERVAL_MIN_MS = 20,
    INTERVAL_MAX_MS = 1000,
    TIMES_PER_TIMEOUT = 8,
    SOON_MS = 25,
};

void pace_init(struct pace *pace, const struct http_limits *limits)
{
    int64_t shortest = limits->head_timeout_ms;

    shortest = limits->idle_timeout_ms < shortest ? limits->idle_timeout_ms : shortest;
    shortest = limits->stall_timeout_ms < shortest ? limits->stall_timeout_ms : shortest;
    shortest /= TIMES_PER_TIMEOUT;
    shortest = shortest > INTERVAL_MIN_MS ? shortest : INTERVAL_MIN_MS;
    *pace = (struct pace){.interval_ms = shortest < INTERVAL_MAX_MS ? shortest : INTERVAL_MAX_MS};
}

bool pace_is_due(struct pace *pace, int64_t now_ms)
{
    if (now_ms < pace->next_ms) {
        return false;
    }
    pace->next_ms = now_ms + pace->interval_ms;
    pace->is_hurried = false;
    return true;
}

void pace_hurry(struct pace *pace, int64_t now_ms)
{
    pace->is_hurried = true;
    pace->next_ms = now_ms + SOON_MS < pace->next_ms ? now_ms + SOON_MS : pace->next_ms;
}

int pace_wait_ms(const struct pace *pace)
{
    return pace->is_hurried ? SOON_MS : (int)pace->interval_ms;
}
