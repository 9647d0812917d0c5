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

    if (!json_value_parse(text, &document, &reason)) {
        json_reader_open_value(reader, document, subject, arena, err);
        reader->document = document;
        return;
    }
    /* Behind the place stands what is there, which may be a secret. */
    *reader = (struct json_reader){.subject = subject, .arena = arena, .err = err};
    json_reader_fail(reader, "is no JSON object: %.*s",
                     (int)str_index_of(str_from(reason.message), ':'), reason.message);
}

enum error_code json_reader_close(struct json_reader *reader)
{
    json_value_free(reader->document);
    reader->document = NULL;
    reader->object = NULL;
    return reader->code;
}

/* What is there, and of that kind. */
static const struct json_value *find(struct json_reader *reader, const char *name,
                                     bool (*is_kind)(const struct json_value *value),
                                     const char *kind)
{
    const struct json_value *const member = json_value_present(reader->object, name);

    if (member && !is_kind(member)) {
        json_reader_fail(reader, "has a \"%s\" that is no %s", name, kind);
        return NULL;
    }
    return member;
}

struct str json_reader_text(struct json_reader *reader, const char *name)
{
    const struct str text = json_value_string(find(reader, name, json_value_is_string, "string"));
    struct str copy = text;

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

    (void)!json_value_uint64(find(reader, name, is_natural, "number from 0"), &number);
    if (number > most) {
        json_reader_fail(reader, "has a \"%s\" beyond %llu", name, (unsigned long long)most);
        return 0;
    }
    return number;
}

const struct json_value *json_reader_needed_array(struct json_reader *reader, const char *name)
{
    const struct json_value *const array = find(reader, name, json_value_is_array, "array");

    if (!array) {
        json_reader_fail(reader, "has no array \"%s\"", name);
    }
    return array;
}
