#include "base/clock.h"

#include <assert.h>
#include <stdio.h>

#include "base/ascii.h"

enum {
    NS_PER_US = 1000,
    SECONDS_CHARACTERS = sizeof("2015-05-07T15:49:51") - 1,
};

static int64_t read_ms(clockid_t id)
{
    struct timespec now = {0};

    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * MS_PER_SECOND + now.tv_nsec / NS_PER_MS;
}

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

struct timespec clock_timespec(int64_t time_ms)
{
    assert(time_ms >= 0);
    return (struct timespec){.tv_sec = (time_t)(time_ms / MS_PER_SECOND),
                             .tv_nsec = (long)(time_ms % MS_PER_SECOND * NS_PER_MS)};
}

void clock_pause(int64_t duration_ms)
{
    const struct timespec duration = clock_timespec(duration_ms);

    (void)nanosleep(&duration, NULL);
}

void clock_format_iso(int64_t wall_ms, char text_out[CLOCK_ISO_BYTES])
{
    const time_t seconds = (time_t)(wall_ms / MS_PER_SECOND);
    struct tm utc = {0};

    assert(wall_ms >= 0);
    (void)gmtime_r(&seconds, &utc);
    assert(utc.tm_year <= 9999 - 1900);
    (void)strftime(text_out, CLOCK_ISO_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(text_out + SECONDS_CHARACTERS, sizeof(".230Z"), ".%03dZ",
                   (int)(wall_ms % MS_PER_SECOND));
}

static int64_t number_at(struct str text, size_t begin, size_t length)
{
    int64_t number = 0;

    for (size_t i = begin; i < begin + length; i++) {
        number = number * 10 + (text.bytes[i] - '0');
    }
    return number;
}

static bool has_shape(struct str text)
{
    static const char shape[] = "0000-00-00T00:00:00";
    bool is_alike = text.length == sizeof(shape) - 1;

    for (size_t i = 0; i < sizeof(shape) - 1 && is_alike; i++) {
        const char byte = text.bytes[i];

        is_alike = shape[i] == '0' ? ascii_is_digit(byte) : byte == shape[i];
    }
    return is_alike && number_at(text, 0, 4) >= 1970 && number_at(text, 5, 2) >= 1 &&
           number_at(text, 5, 2) <= 12 && number_at(text, 8, 2) >= 1 &&
           number_at(text, 8, 2) <= 31 && number_at(text, 11, 2) <= 23 &&
           number_at(text, 14, 2) <= 59 && number_at(text, 17, 2) <= 60;
}

/* `Z`, or `.` and digits and `Z`. */
static bool parse_fraction(struct str text, int64_t *ms_out)
{
    int64_t unit_ms = MS_PER_SECOND;
    size_t i = 0;

    if (!str_starts_with(text, ".")) {
        return str_is(text, "Z");
    }
    for (i = 1; i < text.length && ascii_is_digit(text.bytes[i]); i++) {
        unit_ms /= 10;
        *ms_out += (text.bytes[i] - '0') * unit_ms;
    }
    return i > 1 && str_is(str_from_index(text, i), "Z");
}

/* Years begin in March here, so that a leap day is the last of its year; 719,468 days lie between
 * the year 0 of that calendar and 1970. */
static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
    const int64_t shifted = month > 2 ? year : year - 1;
    const int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + day_of_year - 719468;
}

bool clock_parse_iso(struct str text, int64_t *wall_ms_out)
{
    const struct str date = str_slice(text, 0, SECONDS_CHARACTERS);
    char again[CLOCK_ISO_BYTES];
    int64_t fraction_ms = 0;
    int64_t days = 0;
    int64_t seconds = 0;
    int64_t wall_ms = 0;

    if (!has_shape(date) ||
        !parse_fraction(str_from_index(text, SECONDS_CHARACTERS), &fraction_ms)) {
        return false;
    }
    days = days_since_1970(number_at(date, 0, 4), number_at(date, 5, 2), number_at(date, 8, 2));
    seconds = number_at(date, 11, 2) * 3600 + number_at(date, 14, 2) * 60 + number_at(date, 17, 2);
    wall_ms = (days * 86400 + seconds) * MS_PER_SECOND + fraction_ms;
    clock_format_iso(wall_ms, again); /* not so: the 31st of February, the 60th second */
    if (!str_equal(date, str_slice(str_from(again), 0, SECONDS_CHARACTERS))) {
        return false;
    }
    *wall_ms_out = wall_ms;
    return true;
}

const struct clock clock_system = {
    .monotonic_ms = system_monotonic_ms,
    .wall_ms = system_wall_ms,
};
