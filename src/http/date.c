#include "http/date.h"

#include <assert.h>
#include <string.h>

enum {
    SECONDS_PER_MINUTE = 60,
    SECONDS_PER_HOUR = 60 * SECONDS_PER_MINUTE,
    SECONDS_PER_DAY = 24 * SECONDS_PER_HOUR,
    DAYS_PER_ERA = 146097, /* 400 years, after which the calendar repeats itself */
    DAYS_PER_CENTURY = 36524,
    DAYS_PER_4_YEARS = 1461,
    DAYS_PER_YEAR = 365,
    DAYS_BEFORE_1970 = 719468, /* since 0000-03-01 */
};

struct date {
    unsigned year;
    unsigned month; /* from 0 */
    unsigned day;   /* from 1 */
};

static struct date date_of(unsigned days);
static char *put_two(char *text, unsigned number);
static char *put_text(char *text, const char *three_bytes);

void http_date_format(int64_t seconds, char text_out[HTTP_DATE_BYTES])
{
    static const char weekdays[][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const unsigned days = (unsigned)(seconds / SECONDS_PER_DAY);
    const unsigned second = (unsigned)(seconds % SECONDS_PER_DAY);
    const struct date date = date_of(days);
    char *next = text_out;

    assert(seconds >= 0);
    assert(date.year <= 9999);
    memcpy(text_out, "Thu, 01 Jan 1970 00:00:00 GMT", HTTP_DATE_BYTES);
    (void)put_text(next, weekdays[days % 7]); /* 1970-01-01 was a Thursday */
    next = put_two(text_out + sizeof("Thu, ") - 1, date.day) + 1;
    next = put_text(next, months[date.month]) + 1;
    next = put_two(next, date.year / 100);
    next = put_two(next, date.year % 100) + 1;
    next = put_two(next, second / SECONDS_PER_HOUR) + 1;
    next = put_two(next, second / SECONDS_PER_MINUTE % 60) + 1;
    (void)put_two(next, second % 60);
}

/*
 * The Gregorian calendar, counted in years that begin with March: then the leap day is the last of
 * its year, and the months' lengths repeat 31, 30, 31, 30, 31 (153 days).
 */
static struct date date_of(unsigned days)
{
    const unsigned since_march_0 = days + DAYS_BEFORE_1970;
    const unsigned era = since_march_0 / DAYS_PER_ERA;
    const unsigned day_of_era = since_march_0 % DAYS_PER_ERA;
    const unsigned leap_days = day_of_era / (DAYS_PER_4_YEARS - 1) - day_of_era / DAYS_PER_CENTURY +
                               day_of_era / (DAYS_PER_ERA - 1);
    const unsigned year_of_era = (day_of_era - leap_days) / DAYS_PER_YEAR;
    const unsigned day_of_year =
        day_of_era - (DAYS_PER_YEAR * year_of_era + year_of_era / 4 - year_of_era / 100);
    const unsigned march_month = (5 * day_of_year + 2) / 153;

    return (struct date){
        .year = era * 400 + year_of_era + (march_month >= 10 ? 1 : 0),
        .month = (march_month + 2) % 12,
        .day = day_of_year - (153 * march_month + 2) / 5 + 1,
    };
}

static char *put_two(char *text, unsigned number)
{
    text[0] = (char)('0' + number / 10);
    text[1] = (char)('0' + number % 10);
    return text + 2;
}

static char *put_text(char *text, const char *three_bytes)
{
    memcpy(text, three_bytes, 3);
    return text + 3;
}
