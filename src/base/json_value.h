#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/error.h"
#include "base/str.h"
#include "base/strbuf.h"

/*
 * Reading JSON from outside. Strict: RFC 8259, UTF-8, no duplicate keys, nothing behind the value,
 * nesting up to JSON_MAX_DEPTH, so many values as JSON_MAX_VALUES. jansson stays behind this
 * header.
 */
struct json_value;

enum {
    JSON_MAX_DEPTH = 32,
    JSON_MAX_VALUES = 150 * 1000,
    JSON_VALUE_BYTES = 384, /* no value takes more memory, beside its text */
};

/*
 * ERROR_INVALID says where and why; ERROR_CONFLICT: a name stands twice in an object;
 * ERROR_TOO_LARGE: too many values. The caller limits text.length. Free with json_value_free.
 */
MUST_USE enum error_code json_value_parse(struct str text, struct json_value **value_out,
                                          struct error *err);

/* The same of an object (ERROR_INVALID: it is none). The message says where, but shows nothing of
 * the text, which may be a secret. */
MUST_USE enum error_code json_value_parse_object(struct str text, struct json_value **value_out,
                                                 struct error *err);
void json_value_free(struct json_value *json);

/* How much memory parsing it takes at most, if it has no more values than it may. */
size_t json_value_memory_bytes(struct str text);

/*
 * Whether an object (else: OK) has a member that is one of these names but for upper and lower
 * case, as Unicode folds them. Programs in Go take both for the same, and of two the last.
 * ERROR_CONFLICT names both.
 */
MUST_USE enum error_code json_value_check_names(const struct json_value *object,
                                                const char *const *names, size_t count,
                                                struct error *err);

/*
 * All below take NULL for a value that is absent and borrow from the parsed document, so that
 * look-ups can be chained without checks in between.
 */
bool json_value_is_object(const struct json_value *json);
bool json_value_is_array(const struct json_value *json);
bool json_value_is_string(const struct json_value *json);
bool json_value_is_null(const struct json_value *json);
bool json_value_is_true(const struct json_value *json);
bool json_value_is_false(const struct json_value *json);

/* The member of that name, or NULL. */
const struct json_value *json_value_member(const struct json_value *object, const char *name);

/* The same, and NULL for one that is null. */
const struct json_value *json_value_present(const struct json_value *object, const char *name);

/* The element at that place, or NULL; and how many there are (0 unless an array). */
const struct json_value *json_value_element(const struct json_value *array, size_t index);
size_t json_value_length(const struct json_value *array);

/* The string's bytes, also terminated by NUL; {NULL, 0} unless it is a string. */
struct str json_value_string(const struct json_value *json);

/* False unless it is an integer, not negative. */
bool json_value_uint64(const struct json_value *json, uint64_t *number_out);

/* False unless it is a number, an integer or not. */
bool json_value_number(const struct json_value *json, double *number_out);

/* json_value_string(json_value_member(object, name)) */
struct str json_value_member_string(const struct json_value *object, const char *name);

/* Whether it is this text, or an array that holds it. */
bool json_value_has_text(const struct json_value *json, struct str text);

/* Whether both are there and mean the same: the order of members does not matter. */
bool json_value_equal(const struct json_value *one, const struct json_value *other);

/* Whether both are objects that are equal without the members of these names. */
bool json_value_equal_except(const struct json_value *one, const struct json_value *other,
                             const char *const *names, size_t count);

/*
 * Appends an object whose members are all strings as JSON, in their order. False, with something
 * appended, if one is not a string or it is no object.
 */
bool json_value_write_strings(const struct json_value *object, struct strbuf *buf);
