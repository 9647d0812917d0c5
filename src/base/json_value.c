#include "base/json_value.h"

#include <jansson.h>

#include "base/ascii.h"
#include "base/json_writer.h"

/* What a text would be, found without parsing it. */
struct extent {
    size_t depth;
    size_t values; /* no less than it has */
};

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* The first value, one behind each comma, and the first one of each container. */
static struct extent measure(struct str text)
{
    struct extent extent = {.values = 1};
    size_t depth = 0;
    bool in_string = false;
    bool is_first = false;

    for (size_t i = 0; i < text.length; i++) {
        const char byte = text.bytes[i];
        const bool begins = byte == '{' || byte == '[';
        const bool ends = byte == '}' || byte == ']';

        if (in_string) {
            i += byte == '\\';
            in_string = byte != '"';
            continue;
        }
        if (is_space(byte)) {
            continue;
        }
        in_string = byte == '"';
        extent.values += byte == ',' || (is_first && !ends);
        depth += begins;
        depth -= ends && depth > 0;
        extent.depth = depth > extent.depth ? depth : extent.depth;
        is_first = begins;
    }
    return extent;
}

static enum error_code explain(const json_error_t *failure, struct error *err)
{
    const bool stands_twice = json_error_code(failure) == json_error_duplicate_key;

    return error_set(err, stands_twice ? ERROR_CONFLICT : ERROR_INVALID,
                     "not valid JSON at line %d, column %d: %s", failure->line, failure->column,
                     failure->text);
}

enum error_code json_value_parse(struct str text, struct json_value **value_out, struct error *err)
{
    const struct extent extent = measure(text);
    json_error_t failure;
    json_t *parsed = NULL;

    /* jansson's own bound is 2048 levels of recursion; ours is checked before it recurses at all.
     */
    if (extent.depth > JSON_MAX_DEPTH) {
        return error_set(err, ERROR_INVALID, "JSON nests deeper than %d levels", JSON_MAX_DEPTH);
    }
    if (extent.values > JSON_MAX_VALUES) {
        return error_set(err, ERROR_TOO_LARGE, "JSON has more than %d values", JSON_MAX_VALUES);
    }
    parsed = json_loadb(text.bytes ? text.bytes : "", text.length,
                        JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &failure);
    if (!parsed) {
        return explain(&failure, err);
    }
    *value_out = (struct json_value *)parsed;
    return OK;
}

enum error_code json_value_parse_object(struct str text, struct json_value **value_out,
                                        struct error *err)
{
    struct json_value *value = NULL;
    struct error reason = {0};
    const enum error_code code = json_value_parse(text, &value, &reason);

    if (code) { /* behind the colon of the reason stands what is there */
        return error_set(err, code, "no JSON object: %.*s",
                         (int)str_index_of(str_from(reason.message), ':'), reason.message);
    }
    if (!json_value_is_object(value)) {
        json_value_free(value);
        return error_set(err, ERROR_INVALID, "no JSON object");
    }
    *value_out = value;
    return OK;
}

size_t json_value_memory_bytes(struct str text)
{
    return measure(text).values * JSON_VALUE_BYTES + text.length;
}

static const json_t *json_value_node(const struct json_value *json)
{
    return (const json_t *)json;
}

/* Iterating needs it without const, and changes nothing. */
static json_t *mutable_node(const struct json_value *json)
{
    union {
        const struct json_value *given;
        json_t *node;
    } both = {.given = json};

    return both.node;
}

const struct json_value *json_value_present(const struct json_value *object, const char *name)
{
    const struct json_value *member = json_value_member(object, name);

    return member && json_typeof(json_value_node(member)) == JSON_NULL ? NULL : member;
}

/* What folds to an ASCII letter besides the two of ASCII (Unicode's CaseFolding.txt): the long s
 * and the Kelvin sign. */
static char take_folded(struct str *rest)
{
    static const char long_s[] = "\xc5\xbf";
    static const char kelvin[] = "\xe2\x84\xaa";
    char byte = rest->bytes[0];
    size_t length = 1;

    if (str_starts_with(*rest, long_s)) {
        byte = 's';
        length = sizeof(long_s) - 1;
    } else if (str_starts_with(*rest, kelvin)) {
        byte = 'k';
        length = sizeof(kelvin) - 1;
    } else {
        byte = ascii_lower(byte);
    }
    *rest = str_from_index(*rest, length);
    return byte;
}

static bool reads_as(struct str member, struct str name)
{
    while (member.length > 0 && name.length > 0) {
        if (take_folded(&member) != take_folded(&name)) {
            return false;
        }
    }
    return member.length == 0 && name.length == 0;
}

static enum error_code check_name(struct str member, const char *const *names, size_t count,
                                  struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct str name = str_from(names[i]);

        if (reads_as(member, name) && !str_equal(member, name)) {
            return error_set(err, ERROR_CONFLICT,
                             "it has a member \"%.*s\", which some programs take for \"%s\"",
                             STR_FORMAT(member), names[i]);
        }
    }
    return OK;
}

enum error_code json_value_check_names(const struct json_value *object, const char *const *names,
                                       size_t count, struct error *err)
{
    json_t *const members = json_value_is_object(object) ? mutable_node(object) : NULL;
    enum error_code code = OK;

    for (void *member = json_object_iter(members); member && !code;
         member = json_object_iter_next(members, member)) {
        code = check_name(str_from(json_object_iter_key(member)), names, count, err);
    }
    return code;
}

void json_value_free(struct json_value *json)
{
    json_decref((json_t *)json);
}

static const struct json_value *wrap(const json_t *value)
{
    return (const struct json_value *)value;
}

bool json_value_is_object(const struct json_value *json)
{
    return json && json_typeof(json_value_node(json)) == JSON_OBJECT;
}

bool json_value_is_array(const struct json_value *json)
{
    return json && json_typeof(json_value_node(json)) == JSON_ARRAY;
}

bool json_value_is_string(const struct json_value *json)
{
    return json && json_typeof(json_value_node(json)) == JSON_STRING;
}

bool json_value_is_null(const struct json_value *json)
{
    return json && json_typeof(json_value_node(json)) == JSON_NULL;
}

bool json_value_is_false(const struct json_value *json)
{
    return json && json_typeof(json_value_node(json)) == JSON_FALSE;
}

bool json_value_is_true(const struct json_value *json)
{
    return json && json_typeof(json_value_node(json)) == JSON_TRUE;
}

const struct json_value *json_value_member(const struct json_value *object, const char *name)
{
    return json_value_is_object(object) ? wrap(json_object_get(json_value_node(object), name))
                                        : NULL;
}

const struct json_value *json_value_element(const struct json_value *array, size_t index)
{
    return json_value_is_array(array) ? wrap(json_array_get(json_value_node(array), index)) : NULL;
}

size_t json_value_length(const struct json_value *array)
{
    return json_value_is_array(array) ? json_array_size(json_value_node(array)) : 0;
}

struct str json_value_string(const struct json_value *json)
{
    if (!json_value_is_string(json)) {
        return (struct str){0};
    }
    return (struct str){json_string_value(json_value_node(json)),
                        json_string_length(json_value_node(json))};
}

bool json_value_uint64(const struct json_value *json, uint64_t *number_out)
{
    if (!json || json_typeof(json_value_node(json)) != JSON_INTEGER ||
        json_integer_value(json_value_node(json)) < 0) {
        return false;
    }
    *number_out = (uint64_t)json_integer_value(json_value_node(json));
    return true;
}

bool json_value_number(const struct json_value *json, double *number_out)
{
    if (!json || !json_is_number(json_value_node(json))) {
        return false;
    }
    *number_out = json_number_value(json_value_node(json));
    return true;
}

struct str json_value_member_string(const struct json_value *object, const char *name)
{
    return json_value_string(json_value_member(object, name));
}

bool json_value_has_text(const struct json_value *json, struct str text)
{
    for (size_t i = 0; i < json_value_length(json); i++) {
        if (json_value_is_string(json_value_element(json, i)) &&
            str_equal(json_value_string(json_value_element(json, i)), text)) {
            return true;
        }
    }
    return json_value_is_string(json) && str_equal(json_value_string(json), text);
}

bool json_value_equal(const struct json_value *one, const struct json_value *other)
{
    return json_equal(json_value_node(one), json_value_node(other)) != 0;
}

bool json_value_equal_except(const struct json_value *one, const struct json_value *other,
                             const char *const *names, size_t count)
{
    json_t *first = NULL;
    json_t *second = NULL;
    bool is_equal = false;

    if (!json_value_is_object(one) || !json_value_is_object(other)) {
        return false;
    }
    first = json_copy(mutable_node(one));
    second = json_copy(mutable_node(other));
    for (size_t i = 0; i < count; i++) {
        (void)json_object_del(first, names[i]);
        (void)json_object_del(second, names[i]);
    }
    is_equal = json_equal(first, second) != 0;
    json_decref(first);
    json_decref(second);
    return is_equal;
}

bool json_value_write_strings(const struct json_value *object, struct strbuf *buf)
{
    json_t *members = mutable_node(object);
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
