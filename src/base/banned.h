#pragma once

/*
 * Functions that do not compile here, each with what to use instead. Force-included into every
 * source file by the build, so that no one has to remember. Macros, not poison: headers of others
 * may use the words as names.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define strcpy(...) BANNED_strcpy_use_strbuf_append_text
#define strcat(...) BANNED_strcat_use_strbuf_append_text
#define strncpy(...) BANNED_strncpy_use_strbuf_append
#define strncat(...) BANNED_strncat_use_strbuf_append
#define stpcpy(...) BANNED_stpcpy_use_strbuf_append_text
#define sprintf(...) BANNED_sprintf_use_snprintf
#define vsprintf(...) BANNED_vsprintf_use_vsnprintf
#define strtok(...) BANNED_strtok_use_str_cut
#define strtok_r(...) BANNED_strtok_r_use_str_cut
#define gets(...) BANNED_gets_use_fgets
#define atoi(...) BANNED_atoi_use_str_parse_uint64
#define atol(...) BANNED_atol_use_str_parse_uint64
#define atoll(...) BANNED_atoll_use_str_parse_uint64
#define atof(...) BANNED_atof_use_strtod
#define localtime(...) BANNED_localtime_use_clock_format_iso
#define gmtime(...) BANNED_gmtime_use_gmtime_r
#define ctime(...) BANNED_ctime_use_clock_format_iso
#define asctime(...) BANNED_asctime_use_clock_format_iso
#define rand(...) BANNED_rand_use_random_fill
#define srand(...) BANNED_srand_use_random_fill
#define random(...) BANNED_random_use_random_fill
#define srandom(...) BANNED_srandom_use_random_fill
#define system(...) BANNED_system_we_start_no_programs
#define popen(...) BANNED_popen_we_start_no_programs
