#include "settings/environment.h"

#include <stdio.h>

#include "base/ascii.h"
#include "base/nearest.h"
#include "settings/value.h"

#define PREFIX "PIERONE_"

enum { ALIAS_VALUE_MAX_BYTES = 4096 };

static void apply_aliases(char *const *environment, const struct settings_target *target,
                          bool of_machine, struct problems *problems);
static void apply_alias(const struct setting *setting, const struct setting_alias *alias,
                        struct str value, const struct settings_target *target,
                        struct problems *problems);
static void apply_variable(struct str name, struct str value, const struct settings_target *target,
                           struct problems *problems);
static bool find_setting(const struct settings_schema *schema, struct str name,
                         struct setting *setting_out);
static bool is_of_others(struct str name, struct str value);
static bool contains(struct str text, const char *part);
static void report_unknown(const struct settings_schema *schema, struct str name,
                           struct problems *problems);

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

void settings_environment_defaults(char *const *environment, const struct settings_target *target,
                                   struct problems *problems)
{
    apply_aliases(environment, target, true, problems);
}

void settings_environment_apply(char *const *environment, const struct settings_target *target,
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

struct str settings_environment_find(char *const *environment, const char *name)
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

static void apply_aliases(char *const *environment, const struct settings_target *target,
                          bool of_machine, struct problems *problems)
{
    for (size_t i = 0; i < settings_schema_count(target->schema); i++) {
        const struct setting setting = settings_schema_at(target->schema, i);

        for (size_t k = 0; k < SETTING_ALIASES_MAX && setting.aliases[k].name; k++) {
            const struct setting_alias *const alias = &setting.aliases[k];
            const struct str value = settings_environment_find(environment, alias->name);

            if (alias->is_of_machine == of_machine && value.length > 0 &&
                !is_of_others(str_from(alias->name), value)) {
                apply_alias(&setting, alias, value, target, problems);
            }
        }
    }
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

static void apply_variable(struct str name, struct str value, const struct settings_target *target,
                           struct problems *problems)
{
    struct setting setting;
    struct error err;

    if (!find_setting(target->schema, name, &setting)) {
        if (!is_of_others(name, value)) {
            report_unknown(target->schema, name, problems);
        }
        return;
    }
    if (setting_value_set(&setting, value, target, &err)) {
        problems_add(problems, "environment: %.*s: %s", STR_FORMAT(name), err.message);
    }
}

static bool find_setting(const struct settings_schema *schema, struct str name,
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

/*
 * PIERONE_URL is the client's. For a service `pierone` or `pierone-x`, Kubernetes gives each
 * container of its namespace variables such as PIERONE_SERVICE_HOST, PIERONE_PORT=tcp://… and
 * PIERONE_PORT_8080_TCP_ADDR.
 */
static bool is_of_others(struct str name, struct str value)
{
    return str_is(name, PREFIX "URL") || contains(name, "_SERVICE_HOST") ||
           contains(name, "_SERVICE_PORT") || contains(name, "_TCP") || contains(name, "_UDP") ||
           str_starts_with(value, "tcp://") || str_starts_with(value, "udp://");
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

static void report_unknown(const struct settings_schema *schema, struct str name,
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
