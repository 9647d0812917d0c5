#pragma once

#include <stddef.h>

/* The result of a function so marked may not be ignored, but by an explicit `(void)!f();`. */
#define MUST_USE __attribute__((warn_unused_result))

/* Lets the compiler check a printf-like function's format, argument number f, against its values.
 */
#define PRINTF_LIKE(f, values) __attribute__((format(printf, f, values)))

#define NO_RETURN __attribute__((noreturn))

/* Calls fn(&variable) when the variable leaves its scope. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
