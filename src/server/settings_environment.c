#include "server/settings_environment.h"

#include <stdio.h>

#include "base/nearest.h"
#include "server/settings_value.h"

#define PREFIX "PIERONE_"

/* A variable of the original Pier One's, which deployments may still set. */
struct alias {
    const char *name;
    const char *key;
    const char *prefix; /* before a value that is not a whole one; NULL: none */
};

static const struct alias aliases[] = {
    {"HTTP_PORT", "listen", "0.0.0.0:"},
    {"HTTP_ALLOW_PUBLIC_READ", "auth.public_read", NULL},
    {"HTTP_TEAM_SERVICE_URL", "teams.team_service_url", NULL},
    {"TOKENINFO_URL", "auth.tokeninfo_url", NULL},
    {"HTTP_TOKENINFO_URL", "auth.tokeninfo_url", NULL},
    {"HTTP_KIO_URL", "teams.kio_url", NULL},
    {"HTTP_IIDINFO_URL", "auth.iidinfo_url", NULL},
    {"STORAGE_DIRECTORY", "data", NULL},
    {"STORAGE_S3_BUCKET", "storage.s3.bucket", NULL},
    {"API_REPOSITORY", "public_url", "https://"},
};

/* For all programs of a machine, and so no more than a default; of two, the latter wins. */
static const struct alias machine_defaults[] = {
    {"AWS_DEFAULT_REGION", "storage.s3.region", NULL},
    {"AWS_REGION", "storage.s3.region", NULL},
};

struct alias_list {
    const struct alias *aliases;
    size_t count;
};

/* PGSSLMODE is not among them: alone, it names no database. */
static const char *const database_names[] = {"DB_SUBNAME", "DB_USER", "DB_PASSWORD"};

enum { ALIAS_VALUE_MAX_BYTES = 4096 };

static void refuse_database(char *const *environment, struct problems *problems);
static struct str find_variable(char *const *environment, const char *name);
static void apply_aliases(char *const *environment, const struct alias_list *list,
                          struct settings *settings, struct problems *problems);
static void apply_alias(const struct alias *alias, struct str value, struct settings *settings,
                        struct problems *problems);
static void apply_variable(struct str name, struct str value, struct settings *settings,
                           struct problems *problems);
static const struct setting *find_setting(struct str name);
static bool is_of_others(struct str name, struct str value);
static bool contains(struct str text, const char *part);
static void report_unknown(struct str name, struct problems *problems);

void setting_environment_name(const struct setting *setting,
                              char name_out[SETTING_ENVIRONMENT_BYTES])
{
    (void)snprintf(name_out, SETTING_ENVIRONMENT_BYTES, PREFIX "%s", setting->key);
    for (char *byte = name_out; *byte != '\0'; byte++) {
        if (*byte >= 'a' && *byte <= 'z') {
            *byte = (char)(*byte - ('a' - 'A'));
        } else if (*byte == '.') {
            *byte = '_';
        }
    }
}

void settings_environment_defaults(char *const *environment, struct settings *settings,
                                   struct problems *problems)
{
    const struct alias_list list = {machine_defaults, ARRAY_LEN(machine_defaults)};

    apply_aliases(environment, &list, settings, problems);
}

void settings_environment_apply(char *const *environment, struct settings *settings,
                                struct problems *problems)
{
    const struct alias_list originals = {aliases, ARRAY_LEN(aliases)};

    refuse_database(environment, problems);
    apply_aliases(environment, &originals, settings, problems); /* first: our own names win */
    for (size_t i = 0; environment[i]; i++) {
        struct str value = str_from(environment[i]);
        struct str name;

        if (!str_starts_with(value, PREFIX) || !str_cut(&value, '=', &name)) {
            continue;
        }
        if (value.length > 0) {
            apply_variable(name, value, settings, problems);
        }
    }
}

/* Ignored, they would give an empty registry to whoever expects what the original's one holds. */
static void refuse_database(char *const *environment, struct problems *problems)
{
    for (size_t i = 0; i < ARRAY_LEN(database_names); i++) {
        if (find_variable(environment, database_names[i]).length > 0) {
            problems_add(problems,
                         "environment: %s: there is no PostgreSQL here: metadata are kept in a "
                         "file in the folder that `data` names, and none are taken over from the "
                         "original server's database; if that is what you want, remove DB_SUBNAME, "
                         "DB_USER and DB_PASSWORD from the environment",
                         database_names[i]);
            return;
        }
    }
}

/* Empty: it is not set. */
static struct str find_variable(char *const *environment, const char *name)
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

static void apply_aliases(char *const *environment, const struct alias_list *list,
                          struct settings *settings, struct problems *problems)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct str value = find_variable(environment, list->aliases[i].name);

        if (value.length > 0 && !is_of_others(str_from(list->aliases[i].name), value)) {
            apply_alias(&list->aliases[i], value, settings, problems);
        }
    }
}

static void apply_alias(const struct alias *alias, struct str value, struct settings *settings,
                        struct problems *problems)
{
    const bool is_whole = !alias->prefix || contains(value, "://");
    CLEANUP(strbuf_release) struct strbuf whole;
    struct error err;

    strbuf_init(&whole, ALIAS_VALUE_MAX_BYTES);
    strbuf_append_text(&whole, is_whole ? "" : alias->prefix);
    strbuf_append(&whole, value);
    if (setting_value_set(settings_table_find(str_from(alias->key)), strbuf_str(&whole), settings,
                          &err)) {
        problems_add(problems, "environment: %s: %s", alias->name, err.message);
    }
}

static void apply_variable(struct str name, struct str value, struct settings *settings,
                           struct problems *problems)
{
    const struct setting *const setting = find_setting(name);
    struct error err;

    if (!setting) {
        if (!is_of_others(name, value)) {
            report_unknown(name, problems);
        }
        return;
    }
    if (setting_value_set(setting, value, settings, &err)) {
        problems_add(problems, "environment: %.*s: %s", STR_FORMAT(name), err.message);
    }
}

static const struct setting *find_setting(struct str name)
{
    for (size_t i = 0; i < settings_table_length; i++) {
        char known[SETTING_ENVIRONMENT_BYTES];

        setting_environment_name(&settings_table[i], known);
        if (str_is(name, known)) {
            return &settings_table[i];
        }
    }
    return NULL;
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

static void report_unknown(struct str name, struct problems *problems)
{
    char known[SETTING_ENVIRONMENT_BYTES];
    char hint[NEAREST_HINT_BYTES];
    struct nearest nearest;

    /* The prefix is right anyway and would make names look nearer than they are. */
    nearest_init(&nearest, str_from_index(name, sizeof(PREFIX) - 1));
    settings_table_offer(&nearest, false);
    if (nearest.best.bytes) {
        setting_environment_name(settings_table_find(nearest.best), known);
        nearest.best = str_from(known);
    }
    nearest_hint(&nearest, hint);
    problems_add(problems, "environment: unknown variable \"%.*s\"%s", STR_FORMAT(name), hint);
}
