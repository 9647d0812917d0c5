#include "settings/schema.h"

#include <assert.h>

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
