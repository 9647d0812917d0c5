#include "settings/load.h"

#include <assert.h>
#include <stdio.h>

#include "base/ascii.h"
#include "base/file.h"
#include "base/nearest.h"
#include "settings/value.h"
#include "settings/yaml.h"

/* A file whose entries are applied. */
struct file {
    const char *name;
    const struct settings_target *target;
    struct problems *problems;
};

#define PREFIX "PIERONE_"

enum { ALIAS_VALUE_MAX_BYTES = 4096 };

void settings_set_defaults(const struct settings_target *target)
{
    for (size_t i = 0; i < settings_schema_count(target->schema); i++) {
        const struct setting setting = settings_schema_at(target->schema, i);

        if (setting.default_text) {
            const enum error_code code =
                setting_value_set(&setting, str_from(setting.default_text), target, NULL);

            assert(code == OK);
            (void)code;
        }
    }
}

/* What a variable says; empty if it is not set. */
static struct str environment_find(char *const *environment, const char *name)
{
    for (size_t i = 0; environment[i]; i++) {
        struct str value = str_from(environment[i]);
        struct str key;

        if (str_cut(&value, '=', &key) && value.length > 0 && str_is(key, name)) {
            return value;
        }
    }
    return (struct str){0};
}

static bool contains(struct str text, const char *part)
{
    for (size_t i = 0; i < text.length; i++) {
        if (str_starts_with(str_from_index(text, i), part)) {
            return true;
        }
    }
    return false;
}

/*
 * PIERONE_URL is the client's. For a service `pierone` or `pierone-x`, Kubernetes gives each
 * container of its namespace variables such as PIERONE_SERVICE_HOST, PIERONE_PORT=tcp://… and
 * PIERONE_PORT_8080_TCP_ADDR.
 */
static bool environment_is_of_others(struct str name, struct str value)
{
    return str_is(name, PREFIX "URL") || contains(name, "_SERVICE_HOST") ||
           contains(name, "_SERVICE_PORT") || contains(name, "_TCP") || contains(name, "_UDP") ||
           str_starts_with(value, "tcp://") || str_starts_with(value, "udp://");
}

static void apply_alias(const struct setting *setting, const struct setting_alias *alias,
                        struct str value, const struct settings_target *target,
                        struct problems *problems)
{
    const bool is_whole = !alias->prefix || contains(value, "://");
    CLEANUP(strbuf_release) struct strbuf whole;
    struct error err;

    strbuf_init(&whole, ALIAS_VALUE_MAX_BYTES);
    strbuf_append_text(&whole, is_whole ? "" : alias->prefix);
    strbuf_append(&whole, value);
    if (setting_value_set(setting, strbuf_str(&whole), target, &err)) {
        problems_add(problems, "environment: %s: %s", alias->name, err.message);
    }
}

static void apply_aliases(char *const *environment, const struct settings_target *target,
                          bool of_machine, struct problems *problems)
{
    for (size_t i = 0; i < settings_schema_count(target->schema); i++) {
        const struct setting setting = settings_schema_at(target->schema, i);

        for (size_t k = 0; k < SETTING_ALIASES_MAX && setting.aliases[k].name; k++) {
            const struct setting_alias *const alias = &setting.aliases[k];
            const struct str value = environment_find(environment, alias->name);

            if (alias->is_of_machine == of_machine && value.length > 0 &&
                !environment_is_of_others(str_from(alias->name), value)) {
                apply_alias(&setting, alias, value, target, problems);
            }
        }
    }
}

static void environment_apply_defaults(char *const *environment,
                                       const struct settings_target *target,
                                       struct problems *problems)
{
    apply_aliases(environment, target, true, problems);
}

/* The buffer's limit is that of the file. */
static enum error_code file_read_settings(const char *path, struct strbuf *buf, struct error *err)
{
    const enum error_code code = file_read(path, FILE_ANY, buf, NULL);

    if (code == ERROR_TOO_LARGE) {
        return error_set(err, ERROR_TOO_LARGE, "%s: is larger than %d bytes", path,
                         SETTINGS_FILE_MAX_BYTES);
    }
    return code ? error_set_errno(err, "cannot read %s", path) : OK;
}

static bool is_below(const struct yaml_entry *entry, const struct yaml_entry *section)
{
    const struct str rest = str_from_index(str_from(entry->path), strlen(section->path));

    return str_starts_with(str_from(entry->path), section->path) && str_starts_with(rest, ".");
}

static bool file_report_unknown(const struct file *file, const struct yaml_entry *entry)
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

static bool file_report(const struct file *file, const struct yaml_entry *entry, const char *reason)
{
    problems_add(file->problems, "%s:%u: %s: %s", file->name, entry->line, entry->path, reason);
    return false;
}

static bool file_apply_section(const struct file *file, const struct yaml_entry *entry)
{
    if (!settings_schema_has_section(file->target->schema, str_from(entry->path))) {
        return file_report_unknown(file, entry);
    }
    if (entry->kind == YAML_VALUE) {
        return file_report(file, entry, "is a section: its keys belong below it, indented");
    }
    return true;
}

/* False if it was reported. */
static bool file_apply_entry(const struct file *file, const struct yaml_entry *entry)
{
    struct setting setting;
    struct error err;

    if (!settings_schema_find(file->target->schema, str_from(entry->path), &setting)) {
        return file_apply_section(file, entry);
    }
    switch (entry->kind) {
    case YAML_NULL:
        return true;
    case YAML_SECTION:
        return file_report(file, entry, "takes one value, not keys of its own");
    case YAML_VALUE:
        if (setting_value_set(&setting, entry->value, file->target, &err)) {
            return file_report(file, entry, err.message);
        }
        return true;
    }
    return true;
}

/* A wrong section is one problem, not as many as it has keys. */
static void file_apply_entries(const struct file *file, const struct yaml_entries *entries)
{
    const struct yaml_entry *wrong_section = NULL;

    for (size_t i = 0; i < entries->count; i++) {
        const struct yaml_entry *const entry = &entries->list[i];

        if (wrong_section && is_below(entry, wrong_section)) {
            continue;
        }
        if (!file_apply_entry(file, entry) && entry->kind == YAML_SECTION) {
            wrong_section = entry;
        }
    }
}

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
    file_apply_entries(&file, &entries);
    yaml_entries_release(&entries);
}

static void apply_file(const char *path, const struct settings_target *target,
                       struct problems *problems)
{
    CLEANUP(strbuf_release) struct strbuf text;
    struct error err;

    strbuf_init(&text, SETTINGS_FILE_MAX_BYTES);
    if (file_read_settings(path, &text, &err)) {
        problems_add(problems, "%s", err.message);
        return;
    }
    settings_file_apply(path, strbuf_str(&text), target, problems);
}

void setting_environment_name(const struct setting *setting,
                              char name_out[SETTING_ENVIRONMENT_BYTES])
{
    (void)snprintf(name_out, SETTING_ENVIRONMENT_BYTES, PREFIX "%s", setting->key);
    for (char *byte = name_out; *byte != '\0'; byte++) {
        if (ascii_is_lower(*byte)) {
            *byte = (char)(*byte - ('a' - 'A'));
        } else if (*byte == '.') {
            *byte = '_';
        }
    }
}

static bool environment_find_setting(const struct settings_schema *schema, struct str name,
                                     struct setting *setting_out)
{
    for (size_t i = 0; i < settings_schema_count(schema); i++) {
        const struct setting setting = settings_schema_at(schema, i);
        char known[SETTING_ENVIRONMENT_BYTES];

        setting_environment_name(&setting, known);
        if (str_is(name, known)) {
            *setting_out = setting;
            return true;
        }
    }
    return false;
}

static void environment_report_unknown(const struct settings_schema *schema, struct str name,
                                       struct problems *problems)
{
    char known[SETTING_ENVIRONMENT_BYTES];
    char hint[NEAREST_HINT_BYTES];
    struct nearest nearest;
    struct setting setting;

    /* The prefix is right anyway and would make names look nearer than they are. */
    nearest_init(&nearest, str_from_index(name, sizeof(PREFIX) - 1));
    settings_schema_offer(schema, &nearest, false);
    if (nearest.best.bytes && settings_schema_find(schema, nearest.best, &setting)) {
        setting_environment_name(&setting, known);
        nearest.best = str_from(known);
    }
    nearest_hint(&nearest, hint);
    problems_add(problems, "environment: unknown variable \"%.*s\"%s", STR_FORMAT(name), hint);
}

static void apply_variable(struct str name, struct str value, const struct settings_target *target,
                           struct problems *problems)
{
    struct setting setting;
    struct error err;

    if (!environment_find_setting(target->schema, name, &setting)) {
        if (!environment_is_of_others(name, value)) {
            environment_report_unknown(target->schema, name, problems);
        }
        return;
    }
    if (setting_value_set(&setting, value, target, &err)) {
        problems_add(problems, "environment: %.*s: %s", STR_FORMAT(name), err.message);
    }
}

static void environment_apply(char *const *environment, const struct settings_target *target,
                              struct problems *problems)
{
    apply_aliases(environment, target, false, problems); /* first: our own names win */
    for (size_t i = 0; environment[i]; i++) {
        struct str value = str_from(environment[i]);
        struct str name;

        if (!str_starts_with(value, PREFIX) || !str_cut(&value, '=', &name)) {
            continue;
        }
        if (value.length > 0) {
            apply_variable(name, value, target, problems);
        }
    }
}

static void apply_overrides(const struct settings_sources *sources,
                            const struct settings_target *target, struct problems *problems)
{
    for (size_t i = 0; i < sources->override_count; i++) {
        const struct settings_override *const override = &sources->overrides[i];
        struct setting setting = {0};
        struct error err;
        const bool is_known =
            settings_schema_find(target->schema, str_from(override->key), &setting);

        assert(is_known);
        if (setting_value_set(&setting, str_from(override->value), target, &err)) {
            problems_add(problems, "--%s: %s", override->flag, err.message);
        }
    }
}

void settings_read(const struct settings_sources *sources, const struct settings_target *target,
                   struct problems *problems)
{
    if (sources->environment) {
        environment_apply_defaults(sources->environment, target, problems);
    }
    if (sources->file) {
        apply_file(sources->file, target, problems);
    }
    if (sources->environment) {
        environment_apply(sources->environment, target, problems);
    }
    apply_overrides(sources, target, problems);
}
