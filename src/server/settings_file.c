#include "server/settings_file.h"

#include "base/nearest.h"
#include "server/settings_table.h"
#include "server/settings_value.h"
#include "settings/yaml.h"

/* What the entries of one file are applied to. */
struct target {
    const char *name;
    struct settings *settings;
    struct problems *problems;
};

static void apply_entries(const struct target *target, const struct yaml_entries *entries);
static bool is_below(const struct yaml_entry *entry, const struct yaml_entry *section);
static bool apply_entry(const struct target *target, const struct yaml_entry *entry);
static bool apply_section(const struct target *target, const struct yaml_entry *entry);
static bool report_unknown(const struct target *target, const struct yaml_entry *entry);
static bool report(const struct target *target, const struct yaml_entry *entry, const char *reason);

void settings_file_apply(const char *name, struct str text, struct settings *settings,
                         struct problems *problems)
{
    const struct target target = {name, settings, problems};
    struct yaml_entries entries;
    struct error err;

    if (yaml_entries_read(name, text, &entries, &err)) {
        problems_add(problems, "%s", err.message);
        return;
    }
    apply_entries(&target, &entries);
    yaml_entries_release(&entries);
}

/* A wrong section is one problem, not as many as it has keys. */
static void apply_entries(const struct target *target, const struct yaml_entries *entries)
{
    const struct yaml_entry *wrong_section = NULL;

    for (size_t i = 0; i < entries->count; i++) {
        const struct yaml_entry *const entry = &entries->list[i];

        if (wrong_section && is_below(entry, wrong_section)) {
            continue;
        }
        if (!apply_entry(target, entry) && entry->kind == YAML_SECTION) {
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
static bool apply_entry(const struct target *target, const struct yaml_entry *entry)
{
    const struct setting *const setting = settings_table_find(str_from(entry->path));
    struct error err;

    if (!setting) {
        return apply_section(target, entry);
    }
    switch (entry->kind) {
    case YAML_NULL:
        return true;
    case YAML_SECTION:
        return report(target, entry, "takes one value, not keys of its own");
    case YAML_VALUE:
        if (setting_value_set(setting, entry->value, target->settings, &err)) {
            return report(target, entry, err.message);
        }
        return true;
    }
    return true;
}

static bool apply_section(const struct target *target, const struct yaml_entry *entry)
{
    if (!settings_table_has_section(str_from(entry->path))) {
        return report_unknown(target, entry);
    }
    if (entry->kind == YAML_VALUE) {
        return report(target, entry, "is a section: its keys belong below it, indented");
    }
    return true;
}

static bool report_unknown(const struct target *target, const struct yaml_entry *entry)
{
    char hint[NEAREST_HINT_BYTES];
    struct nearest nearest;

    nearest_init(&nearest, str_from(entry->path));
    settings_table_offer(&nearest, entry->kind == YAML_SECTION);
    nearest_hint(&nearest, hint);
    problems_add(target->problems, "%s:%u: unknown key \"%s\"%s", target->name, entry->line,
                 entry->path, hint);
    return false;
}

static bool report(const struct target *target, const struct yaml_entry *entry, const char *reason)
{
    problems_add(target->problems, "%s:%u: %s: %s", target->name, entry->line, entry->path, reason);
    return false;
}
