#include "http/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attributes.h"

static const int64_t last_second = 253402300799; /* of the year 9999 */

static void known_dates_are_written(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"}, /* RFC 9110 5.6.7 */
        {951782399, "Mon, 28 Feb 2000 23:59:59 GMT"},
        {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
        {951868800, "Wed, 01 Mar 2000 00:00:00 GMT"},
        {1709164800, "Thu, 29 Feb 2024 00:00:00 GMT"},
        {2147483648, "Tue, 19 Jan 2038 03:14:08 GMT"},
        {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"},
        {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[HTTP_DATE_BYTES];

        http_date_format(cases[i].seconds, text);
        assert_string_equal(text, cases[i].text);
    }
}

/* The library's calendar, about once in three days and at differing hours. */
static void all_years_agree_with_the_c_library(void **state)
{
    const int64_t step = 3 * 24 * 60 * 60 - 61;

    (void)state;
    for (int64_t seconds = 0; seconds <= last_second; seconds += step) {
        const time_t time = (time_t)seconds;
        char text[HTTP_DATE_BYTES];
        char wanted[HTTP_DATE_BYTES];
        struct tm utc = {0};

        http_date_format(seconds, text);
        (void)gmtime_r(&time, &utc);
        (void)strftime(wanted, sizeof(wanted), "%a, %d %b %Y %H:%M:%S GMT", &utc);
        if (strcmp(text, wanted) != 0) {
            fail_msg("%s, not %s", text, wanted);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_dates_are_written),
        cmocka_unit_test(all_years_agree_with_the_c_library),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
