#include "settings/schema.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

void problems_init(struct problems *problems)
{
    strbuf_init(&problems->lines, (size_t)PROBLEMS_MAX * PROBLEM_MAX_BYTES);
    problems->count = 0;
}

void problems_release(struct problems *problems)
{
    strbuf_release(&problems->lines);
    problems->count = 0;
}

void problems_add(struct problems *problems, const char *format, ...)
{
    char line[PROBLEM_MAX_BYTES];
    va_list values;

    problems->count++;
    if (problems->count > PROBLEMS_MAX) {
        return;
    }
    va_start(values, format);
    (void)vsnprintf(line, sizeof(line), format, values);
    va_end(values);
    for (char *byte = line; *byte != '\0'; byte++) {
        if ((unsigned char)*byte < ' ' || *byte == '\x7f') {
            *byte = '?';
        }
    }
    if (problems->count > 1) {
        strbuf_append_byte(&problems->lines, '\n');
    }
    strbuf_append_text(&problems->lines, line);
}

bool problems_is_empty(const struct problems *problems)
{
    return problems->count == 0;
}

struct str problems_lines(const struct problems *problems)
{
    return problems->count == 0 ? (struct str){0} : strbuf_str(&problems->lines);
}

size_t settings_schema_count(const struct settings_schema *schema)
{
    size_t count = 0;

    for (size_t i = 0; i < schema->count; i++) {
        count += schema->parts[i].table->count;
    }
    return count;
}

struct setting settings_schema_at(const struct settings_schema *schema, size_t index)
{
    const struct settings_part *part = schema->parts;
    struct setting setting;

    while (index >= part->table->count) {
        index -= part->table->count;
        part++;
        assert(part < schema->parts + schema->count);
    }
    setting = part->table->rows[index];
    setting.offset += part->offset;
    return setting;
}

bool settings_schema_find(const struct settings_schema *schema, struct str key,
                          struct setting *setting_out)
{
    for (size_t i = 0; i < settings_schema_count(schema); i++) {
        const struct setting setting = settings_schema_at(schema, i);

        if (str_is(key, setting.key)) {
            *setting_out = setting;
            return true;
        }
    }
    return false;
}

bool settings_schema_has_section(const struct settings_schema *schema, struct str path)
{
    for (size_t i = 0; i < settings_schema_count(schema); i++) {
        const struct str key = str_from(settings_schema_at(schema, i).key);

        if (key.length > path.length && key.bytes[path.length] == '.' &&
            str_equal(str_slice(key, 0, path.length), path)) {
            return true;
        }
    }
    return false;
}

void settings_schema_offer(const struct settings_schema *schema, struct nearest *nearest,
                           bool is_section)
{
    for (size_t i = 0; i < settings_schema_count(schema); i++) {
        const struct str key = str_from(settings_schema_at(schema, i).key);
        const size_t dot = str_last_index_of(key, '.');

        nearest_offer(nearest, key);
        if (is_section && dot < key.length) {
            nearest_offer(nearest, str_slice(key, 0, dot));
        }
    }
}

void settings_schema_check(const struct settings_schema *schema, const void *values,
                           struct problems *problems)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct settings_part *const part = &schema->parts[i];

        if (part->table->check) {
            part->table->check((const char *)values + part->offset, problems);
        }
    }
}
