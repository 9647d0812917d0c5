#include "tests/support/fake_clock.h"

/* 2015-05-07T15:49:51.230Z */
static const int64_t first_wall_ms = 1431013791230;

static int64_t fake_monotonic_ms(const struct clock *clock);
static int64_t fake_wall_ms(const struct clock *clock);

void fake_clock_init(struct fake_clock *fake)
{
    fake->clock.monotonic_ms = fake_monotonic_ms;
    fake->clock.wall_ms = fake_wall_ms;
    atomic_init(&fake->elapsed_ms, 0);
}

static int64_t fake_monotonic_ms(const struct clock *clock)
{
    const struct fake_clock *fake = (const struct fake_clock *)clock; /* its first member */

    return 1 + atomic_load(&fake->elapsed_ms);
}

static int64_t fake_wall_ms(const struct clock *clock)
{
    const struct fake_clock *fake = (const struct fake_clock *)clock; /* its first member */

    return first_wall_ms + atomic_load(&fake->elapsed_ms);
}

void fake_clock_advance(struct fake_clock *fake, int64_t duration_ms)
{
    (void)atomic_fetch_add(&fake->elapsed_ms, duration_ms);
}
