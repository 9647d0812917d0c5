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
 * nesting up to JSON_MAX_DEPTH. jansson stays behind this header.
 */
struct json_value;

enum { JSON_MAX_DEPTH = 32 };

/* ERROR_INVALID says where and why. The caller limits text.length. Free with json_value_free. */
MUST_USE enum error_code json_value_parse(struct str text, struct json_value **value_out,
                                          struct error *err);
void json_value_free(struct json_value *json);

/*
 * All below take NULL for a value that is absent and borrow from the parsed document, so that
 * look-ups can be chained without checks in between.
 */
bool json_value_is_object(const struct json_value *json);
bool json_value_is_array(const struct json_value *json);
bool json_value_is_string(const struct json_value *json);
bool json_value_is_true(const struct json_value *json);
bool json_value_is_false(const struct json_value *json);

/* The member of that name, or NULL. */
const struct json_value *json_value_member(const struct json_value *object, const char *name);

/* The element at that place, or NULL; and how many there are (0 unless an array). */
const struct json_value *json_value_element(const struct json_value *array, size_t index);
size_t json_value_length(const struct json_value *array);

/* The string's bytes, also terminated by NUL; {NULL, 0} unless it is a string. */
struct str json_value_string(const struct json_value *json);

/* False unless it is an integer, not negative. */
bool json_value_uint64(const struct json_value *json, uint64_t *number_out);

/* json_value_string(json_value_member(object, name)) */
struct str json_value_member_string(const struct json_value *object, const char *name);

/*
 * Appends an object whose members are all strings as JSON, in their order. False, with something
 * appended, if one is not a string or it is no object.
 */
bool json_value_write_strings(const struct json_value *object, struct strbuf *buf);
