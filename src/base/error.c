#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

PRINTF_LIKE(3, 0)
static void set_message(struct error *err, enum error_topic topic, const char *format,
                        va_list values)
{
    err->topic = topic;
    err->retry_after_s = 0;
    (void)vsnprintf(err->message, sizeof(err->message), format, values);
}

enum error_code error_set(struct error *err, enum error_code code, const char *format, ...)
{
    va_list values;

    if (err) {
        va_start(values, format);
        set_message(err, ABOUT_NOTHING, format, values);
        va_end(values);
    }
    return code;
}

enum error_code error_set_about(struct error *err, enum error_topic topic, enum error_code code,
                                const char *format, ...)
{
    va_list values;

    if (err) {
        va_start(values, format);
        set_message(err, topic, format, values);
        va_end(values);
    }
    return code;
}

/* glibc's strerror translates and allocates; others have no such thing. */
static const char *error_describe(int number)
{
#ifdef __GLIBC__
    const char *const text = strerrordesc_np(number);

    return text ? text : "unknown error";
#else
    return strerror(number);
#endif
}

enum error_code error_set_errno(struct error *err, const char *format, ...)
{
    const int number = errno;
    va_list values;
    size_t length;

    if (err) {
        va_start(values, format);
        set_message(err, ABOUT_NOTHING, format, values);
        va_end(values);
        length = strlen(err->message);
        (void)snprintf(err->message + length, sizeof(err->message) - length, ": %s",
                       error_describe(number));
    }
    switch (number) {
    case ENOSPC:
    case EDQUOT:
        return ERROR_NO_SPACE;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return ERROR_UNAVAILABLE; /* others will have given theirs back in a moment */
    default:
        return ERROR_INTERNAL;
    }
}

const char *error_code_name(enum error_code code)
{
    static const char *const names[] = {
        [OK] = "ok",
        [ERROR_INVALID] = "invalid",
        [ERROR_UNAUTHENTICATED] = "unauthenticated",
        [ERROR_DENIED] = "denied",
        [ERROR_NOT_FOUND] = "not_found",
        [ERROR_CONFLICT] = "conflict",
        [ERROR_OUT_OF_RANGE] = "out_of_range",
        [ERROR_TOO_LARGE] = "too_large",
        [ERROR_UNSUPPORTED] = "unsupported",
        [ERROR_TOO_MANY] = "too_many",
        [ERROR_NO_SPACE] = "no_space",
        [ERROR_UNAVAILABLE] = "unavailable",
        [ERROR_INTERNAL] = "internal",
    };

    return names[code];
}
