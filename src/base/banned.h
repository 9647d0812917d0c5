#pragma once

/*
 * Functions that do not compile here, each with what to use instead. Force-included into every
 * source file by the build, so that no one has to remember.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat stpcpy /* strbuf_append, arena_string */
#pragma GCC poison sprintf vsprintf                     /* snprintf, strbuf_append_format */
#pragma GCC poison strtok strtok_r                      /* str_cut */
#pragma GCC poison gets atoi atol atoll atof            /* str_parse_uint64 */
#pragma GCC poison localtime gmtime ctime asctime       /* gmtime_r, clock_format_iso */
#pragma GCC poison rand srand random srandom            /* random_fill */
#pragma GCC poison system popen                         /* nothing: we start no programs */
