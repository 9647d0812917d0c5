#pragma once

#include <stdint.h>

enum { HTTP_DATE_BYTES = sizeof("Sun, 06 Nov 1994 08:49:37 GMT") };

/* RFC 9110 5.6.7 IMF-fixdate; seconds from 0 to the year 9999. */
void http_date_format(int64_t seconds, char text_out[HTTP_DATE_BYTES]);
