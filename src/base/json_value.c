#include "base/json_value.h"

#include <jansson.h>

#include "base/json_writer.h"

static bool is_too_deep(struct str text);
static const json_t *node(const struct json_value *json);
static const struct json_value *wrap(const json_t *value);

enum error_code json_value_parse(struct str text, struct json_value **value_out, struct error *err)
{
    json_error_t failure;
    json_t *parsed = NULL;

    /* jansson's own bound is 2048 levels of recursion; ours is checked before it recurses at all.
     */
    if (is_too_deep(text)) {
        return error_set(err, ERROR_INVALID, "JSON nests deeper than %d levels", JSON_MAX_DEPTH);
    }
    parsed = json_loadb(text.bytes ? text.bytes : "", text.length,
                        JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &failure);
    if (!parsed) {
        return error_set(err, ERROR_INVALID, "not valid JSON at line %d, column %d: %s",
                         failure.line, failure.column, failure.text);
    }
    *value_out = (struct json_value *)parsed;
    return OK;
}

static bool is_too_deep(struct str text)
{
    size_t depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < text.length; i++) {
        const char byte = text.bytes[i];

        if (in_string) {
            i += byte == '\\';
            in_string = byte != '"';
        } else if (byte == '"') {
            in_string = true;
        } else if (byte == '{' || byte == '[') {
            depth++;
        } else if ((byte == '}' || byte == ']') && depth > 0) {
            depth--;
        }
        if (depth > JSON_MAX_DEPTH) {
            return true;
        }
    }
    return false;
}

void json_value_free(struct json_value *json)
{
    json_decref((json_t *)json);
}

static const json_t *node(const struct json_value *json)
{
    return (const json_t *)json;
}

static const struct json_value *wrap(const json_t *value)
{
    return (const struct json_value *)value;
}

bool json_value_is_object(const struct json_value *json)
{
    return json && json_typeof(node(json)) == JSON_OBJECT;
}

bool json_value_is_array(const struct json_value *json)
{
    return json && json_typeof(node(json)) == JSON_ARRAY;
}

bool json_value_is_string(const struct json_value *json)
{
    return json && json_typeof(node(json)) == JSON_STRING;
}

bool json_value_is_false(const struct json_value *json)
{
    return json && json_typeof(node(json)) == JSON_FALSE;
}

bool json_value_is_true(const struct json_value *json)
{
    return json && json_typeof(node(json)) == JSON_TRUE;
}

const struct json_value *json_value_member(const struct json_value *object, const char *name)
{
    return json_value_is_object(object) ? wrap(json_object_get(node(object), name)) : NULL;
}

const struct json_value *json_value_element(const struct json_value *array, size_t index)
{
    return json_value_is_array(array) ? wrap(json_array_get(node(array), index)) : NULL;
}

size_t json_value_length(const struct json_value *array)
{
    return json_value_is_array(array) ? json_array_size(node(array)) : 0;
}

struct str json_value_string(const struct json_value *json)
{
    if (!json_value_is_string(json)) {
        return (struct str){0};
    }
    return (struct str){json_string_value(node(json)), json_string_length(node(json))};
}

bool json_value_uint64(const struct json_value *json, uint64_t *number_out)
{
    if (!json || json_typeof(node(json)) != JSON_INTEGER || json_integer_value(node(json)) < 0) {
        return false;
    }
    *number_out = (uint64_t)json_integer_value(node(json));
    return true;
}

struct str json_value_member_string(const struct json_value *object, const char *name)
{
    return json_value_string(json_value_member(object, name));
}

bool json_value_write_strings(const struct json_value *object, struct strbuf *buf)
{
    /* Iterating needs it without const, and changes nothing. */
    union {
        const struct json_value *given;
        json_t *iterated;
    } both = {.given = object};
    json_t *members = both.iterated;
    struct json_writer writer;
    void *member = NULL;

    if (!json_value_is_object(object)) {
        return false;
    }
    json_writer_init(&writer, buf);
    json_writer_begin_object(&writer);
    for (member = json_object_iter(members); member;
         member = json_object_iter_next(members, member)) {
        const struct json_value *value = wrap(json_object_iter_value(member));

        if (!json_value_is_string(value)) {
            return false;
        }
        json_writer_member(&writer, json_object_iter_key(member), json_value_string(value));
    }
    json_writer_end_object(&writer);
    return true;
}
