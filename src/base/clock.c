#include "base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

enum { MS_PER_SECOND = 1000, NS_PER_MS = 1000000, NS_PER_US = 1000 };

static int64_t system_monotonic_ms(const struct clock *clock);
static int64_t system_wall_ms(const struct clock *clock);
static int64_t read_ms(clockid_t id);

const struct clock clock_system = {
    .monotonic_ms = system_monotonic_ms,
    .wall_ms = system_wall_ms,
};

static int64_t system_monotonic_ms(const struct clock *clock)
{
    (void)clock;
    return read_ms(CLOCK_MONOTONIC);
}

static int64_t system_wall_ms(const struct clock *clock)
{
    (void)clock;
    return read_ms(CLOCK_REALTIME);
}

static int64_t read_ms(clockid_t id)
{
    struct timespec now = {0};

    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * MS_PER_SECOND + now.tv_nsec / NS_PER_MS;
}

int64_t clock_monotonic_ms(const struct clock *clock)
{
    return clock->monotonic_ms(clock);
}

int64_t clock_wall_ms(const struct clock *clock)
{
    return clock->wall_ms(clock);
}

int64_t clock_elapsed_us(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MS_PER_SECOND * MS_PER_SECOND + now.tv_nsec / NS_PER_US;
}

void clock_format_iso(int64_t wall_ms, char text_out[CLOCK_ISO_BYTES])
{
    const time_t seconds = (time_t)(wall_ms / MS_PER_SECOND);
    struct tm utc = {0};

    assert(wall_ms >= 0);
    (void)gmtime_r(&seconds, &utc);
    assert(utc.tm_year <= 9999 - 1900);
    (void)strftime(text_out, CLOCK_ISO_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(text_out + sizeof("2015-05-07T15:49:51") - 1, sizeof(".230Z"), ".%03dZ",
                   (int)(wall_ms % MS_PER_SECOND));
}
