#include "settings/file.h"

#include "base/nearest.h"
#include "settings/value.h"
#include "settings/yaml.h"

/* A file whose entries are applied. */
struct file {
    const char *name;
    const struct settings_target *target;
    struct problems *problems;
};

static void apply_entries(const struct file *file, const struct yaml_entries *entries);
static bool is_below(const struct yaml_entry *entry, const struct yaml_entry *section);
static bool apply_entry(const struct file *file, const struct yaml_entry *entry);
static bool apply_section(const struct file *file, const struct yaml_entry *entry);
static bool report_unknown(const struct file *file, const struct yaml_entry *entry);
static bool report(const struct file *file, const struct yaml_entry *entry, const char *reason);

void settings_file_apply(const char *name, struct str text, const struct settings_target *target,
                         struct problems *problems)
{
    const struct file file = {name, target, problems};
    struct yaml_entries entries;
    struct error err;

    if (yaml_entries_read(name, text, &entries, &err)) {
        problems_add(problems, "%s", err.message);
        return;
    }
    apply_entries(&file, &entries);
    yaml_entries_release(&entries);
}

/* A wrong section is one problem, not as many as it has keys. */
static void apply_entries(const struct file *file, const struct yaml_entries *entries)
{
    const struct yaml_entry *wrong_section = NULL;

    for (size_t i = 0; i < entries->count; i++) {
        const struct yaml_entry *const entry = &entries->list[i];

        if (wrong_section && is_below(entry, wrong_section)) {
            continue;
        }
        if (!apply_entry(file, entry) && entry->kind == YAML_SECTION) {
            wrong_section = entry;
        }
    }
}

static bool is_below(const struct yaml_entry *entry, const struct yaml_entry *section)
{
    const struct str rest = str_from_index(str_from(entry->path), strlen(section->path));

    return str_starts_with(str_from(entry->path), section->path) && str_starts_with(rest, ".");
}

/* False if it was reported. */
static bool apply_entry(const struct file *file, const struct yaml_entry *entry)
{
    struct setting setting;
    struct error err;

    if (!settings_schema_find(file->target->schema, str_from(entry->path), &setting)) {
        return apply_section(file, entry);
    }
    switch (entry->kind) {
    case YAML_NULL:
        return true;
    case YAML_SECTION:
        return report(file, entry, "takes one value, not keys of its own");
    case YAML_VALUE:
        if (setting_value_set(&setting, entry->value, file->target, &err)) {
            return report(file, entry, err.message);
        }
        return true;
    }
    return true;
}

static bool apply_section(const struct file *file, const struct yaml_entry *entry)
{
    if (!settings_schema_has_section(file->target->schema, str_from(entry->path))) {
        return report_unknown(file, entry);
    }
    if (entry->kind == YAML_VALUE) {
        return report(file, entry, "is a section: its keys belong below it, indented");
    }
    return true;
}

static bool report_unknown(const struct file *file, const struct yaml_entry *entry)
{
    char hint[NEAREST_HINT_BYTES];
    struct nearest nearest;

    nearest_init(&nearest, str_from(entry->path));
    settings_schema_offer(file->target->schema, &nearest, entry->kind == YAML_SECTION);
    nearest_hint(&nearest, hint);
    problems_add(file->problems, "%s:%u: unknown key \"%s\"%s", file->name, entry->line,
                 entry->path, hint);
    return false;
}

static bool report(const struct file *file, const struct yaml_entry *entry, const char *reason)
{
    problems_add(file->problems, "%s:%u: %s: %s", file->name, entry->line, entry->path, reason);
    return false;
}
