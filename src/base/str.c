#include "base/str.h"

#include <assert.h>
#include <string.h>

#include "base/ascii.h"

struct str str_from(const char *text)
{
    return text ? (struct str){text, strlen(text)} : (struct str){0};
}

bool str_equal(struct str a, struct str b)
{
    if (a.length != b.length || a.length == 0) {
        return a.length == b.length;
    }
    assert(a.bytes);
    assert(b.bytes);
    return memcmp(a.bytes, b.bytes, a.length) == 0;
}

bool str_equal_ignoring_case(struct str a, struct str b)
{
    if (a.length != b.length) {
        return false;
    }
    for (size_t i = 0; i < a.length; i++) {
        if (ascii_lower(a.bytes[i]) != ascii_lower(b.bytes[i])) {
            return false;
        }
    }
    return true;
}

bool str_is(struct str s, const char *text)
{
    return str_equal(s, str_from(text));
}

bool str_is_ignoring_case(struct str s, const char *text)
{
    return str_equal_ignoring_case(s, str_from(text));
}

bool str_starts_with(struct str s, const char *prefix)
{
    const struct str wanted = str_from(prefix);

    return s.length >= wanted.length && str_equal(str_slice(s, 0, wanted.length), wanted);
}

bool str_starts_with_ignoring_case(struct str s, const char *prefix)
{
    const struct str wanted = str_from(prefix);

    return s.length >= wanted.length &&
           str_equal_ignoring_case((struct str){s.bytes, wanted.length}, wanted);
}

bool str_ends_with(struct str s, const char *suffix)
{
    const struct str wanted = str_from(suffix);

    return s.length >= wanted.length &&
           str_equal(str_from_index(s, s.length - wanted.length), wanted);
}

int str_compare(struct str a, struct str b)
{
    const size_t shared = a.length < b.length ? a.length : b.length;
    const int order = shared == 0 ? 0 : memcmp(a.bytes, b.bytes, shared);

    if (order != 0) {
        return order;
    }
    return a.length == b.length ? 0 : a.length < b.length ? -1 : 1;
}

struct str str_from_index(struct str s, size_t begin)
{
    return str_slice(s, begin, s.length);
}

struct str str_slice(struct str s, size_t begin, size_t end)
{
    if (end > s.length) {
        end = s.length;
    }
    if (begin >= end) {
        begin = end;
    }
    return (struct str){s.bytes ? s.bytes + begin : NULL, end - begin};
}

struct str str_trim(struct str s)
{
    while (s.length > 0 && (s.bytes[0] == ' ' || s.bytes[0] == '\t')) {
        s = str_from_index(s, 1);
    }
    while (s.length > 0 && (s.bytes[s.length - 1] == ' ' || s.bytes[s.length - 1] == '\t')) {
        s.length--;
    }
    return s;
}

size_t str_index_of(struct str s, char byte)
{
    const char *found = s.length == 0 ? NULL : memchr(s.bytes, byte, s.length);

    return found ? (size_t)(found - s.bytes) : s.length;
}

size_t str_last_index_of(struct str s, char byte)
{
    for (size_t i = s.length; i > 0; i--) {
        if (s.bytes[i - 1] == byte) {
            return i - 1;
        }
    }
    return s.length;
}

bool str_cut(struct str *rest, char separator, struct str *part_out)
{
    const size_t end = str_index_of(*rest, separator);

    if (!rest->bytes) {
        return false;
    }
    *part_out = str_slice(*rest, 0, end);
    *rest = end == rest->length ? (struct str){0} : str_from_index(*rest, end + 1);
    return true;
}

bool str_parse_uint64(struct str s, uint64_t *number_out)
{
    uint64_t number = 0;

    if (s.length == 0) {
        return false;
    }
    for (size_t i = 0; i < s.length; i++) {
        if (!ascii_is_digit(s.bytes[i])) {
            return false;
        }
        if (__builtin_mul_overflow(number, 10U, &number) ||
            __builtin_add_overflow(number, (unsigned)(s.bytes[i] - '0'), &number)) {
            return false;
        }
    }
    *number_out = number;
    return true;
}

int str_hex_value(char digit)
{
    if (ascii_is_digit(digit)) {
        return digit - '0';
    }
    digit = ascii_lower(digit);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}
