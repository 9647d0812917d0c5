#include "base/json_reader.h"

#include <stdarg.h>
#include <stdio.h>

void json_reader_fail(struct json_reader *reader, const char *format, ...)
{
    char why[ERROR_MESSAGE_BYTES];
    va_list values;

    if (reader->code) {
        return;
    }
    va_start(values, format);
    (void)vsnprintf(why, sizeof(why), format, values);
    va_end(values);
    reader->object = NULL;
    if (reader->subject->example) {
        reader->code = error_set_about(reader->err, reader->subject->topic, reader->subject->code,
                                       "%s %s: it is like %s", reader->subject->name, why,
                                       reader->subject->example);
        return;
    }
    reader->code = error_set_about(reader->err, reader->subject->topic, reader->subject->code,
                                   "%s %s", reader->subject->name, why);
}

void json_reader_open_value(struct json_reader *reader, const struct json_value *value,
                            const struct json_subject *subject, struct arena *arena,
                            struct error *err)
{
    *reader = (struct json_reader){
        .object = value,
        .subject = subject,
        .arena = arena,
        .err = err,
    };
    if (!json_value_is_object(value)) {
        json_reader_fail(reader, "is no JSON object");
    }
}

const char *json_reader_c_text(struct json_reader *reader, const char *name)
{
    const struct str text = json_reader_text(reader, name);

    return text.length > 0 ? text.bytes : NULL;
}

void json_reader_open(struct json_reader *reader, struct str text,
                      const struct json_subject *subject, struct arena *arena, struct error *err)
{
    struct json_value *document = NULL;
    struct error reason = {0};

    *reader = (struct json_reader){.subject = subject, .arena = arena, .err = err};
    if (subject->max_bytes > 0 && text.length > subject->max_bytes) {
        json_reader_fail(reader, "has more than %zu bytes", subject->max_bytes);
        return;
    }
    if (!json_value_parse_object(text, &document, &reason)) {
        json_reader_open_value(reader, document, subject, arena, err);
        reader->document = document;
        return;
    }
    json_reader_fail(reader, "is %s", reason.message);
}

void json_reader_check_names(struct json_reader *reader, const char *const *names, size_t count)
{
    struct error reason = {0};

    if (json_value_check_names(reader->object, names, count, &reason)) {
        json_reader_fail(reader, "is ambiguous: %s", reason.message);
    }
}

enum error_code json_reader_close(struct json_reader *reader)
{
    json_value_free(reader->document);
    reader->document = NULL;
    reader->object = NULL;
    return reader->code;
}

/* What is there, and of that kind. */
static const struct json_value *json_reader_find(struct json_reader *reader, const char *name,
                                                 bool (*is_kind)(const struct json_value *value),
                                                 const char *kind)
{
    const struct json_value *const member = reader->subject->absent == JSON_NOTHING_IS_ABSENT
                                                ? json_value_member(reader->object, name)
                                                : json_value_present(reader->object, name);

    if (member && !is_kind(member)) {
        if (reader->subject->absent == JSON_WRONG_IS_ABSENT) {
            return NULL;
        }
        json_reader_fail(reader, "has a \"%s\" that is no %s", name, kind);
        return NULL;
    }
    return member;
}

struct str json_reader_text(struct json_reader *reader, const char *name)
{
    const struct str text =
        json_value_string(json_reader_find(reader, name, json_value_is_string, "string"));
    struct str copy = text;

    if (reader->subject->text_max_bytes > 0 && text.length > reader->subject->text_max_bytes) {
        json_reader_fail(reader, "has a \"%s\" of more than %zu bytes", name,
                         reader->subject->text_max_bytes);
        return (struct str){0};
    }
    if (text.bytes && reader->arena) {
        copy = arena_copy(reader->arena, text);
    }
    if (text.bytes && !copy.bytes) {
        json_reader_fail(reader, "is larger than the memory for it");
        reader->code = ERROR_TOO_LARGE;
    }
    return copy;
}

struct str json_reader_needed_text(struct json_reader *reader, const char *name)
{
    const struct str text = json_reader_text(reader, name);

    if (text.length == 0) {
        json_reader_fail(reader, "has no \"%s\"", name);
    }
    return text;
}

static bool is_natural(const struct json_value *value)
{
    uint64_t number = 0;

    return json_value_uint64(value, &number);
}

uint64_t json_reader_uint64(struct json_reader *reader, const char *name, uint64_t most)
{
    uint64_t number = 0;

    (void)!json_value_uint64(json_reader_find(reader, name, is_natural, "number from 0"), &number);
    if (number > most) {
        json_reader_fail(reader, "has a \"%s\" beyond %llu", name, (unsigned long long)most);
        return 0;
    }
    return number;
}

uint64_t json_reader_needed_uint64(struct json_reader *reader, const char *name, uint64_t most)
{
    if (!json_value_present(reader->object, name)) {
        json_reader_fail(reader, "has no \"%s\"", name);
    }
    return json_reader_uint64(reader, name, most);
}

const struct json_value *json_reader_needed_array(struct json_reader *reader, const char *name)
{
    const struct json_value *const array =
        json_reader_find(reader, name, json_value_is_array, "array");

    if (!array) {
        json_reader_fail(reader, "has no array \"%s\"", name);
    }
    return array;
}

const char *json_texts_join(const struct json_value *array, size_t most, const char *separator,
                            struct arena *arena)
{
    const char *joined = "";

    for (size_t i = 0; i < json_value_length(array) && i < most; i++) {
        const struct str text = json_value_string(json_value_element(array, i));

        if (text.length > 0) {
            joined = arena_format(arena, "%s%s%.*s", joined, joined[0] != '\0' ? separator : "",
                                  STR_FORMAT(text));
        }
    }
    return joined;
}
