#include "server/settings.h"

#include "server/settings_check.h"
#include "server/settings_table.h"
#include "settings/environment.h"

/* Each text has its own bounds by where it comes from; this is for all of them. */
enum { TEXTS_MAX_BYTES = 4 * SETTINGS_FILE_MAX_BYTES };

static const char markdown_head[] =
    "# Configuration\n"
    "\n"
    "<!-- Written by `pieroned --print-configuration markdown`: change "
    "src/server/settings_table.c. -->\n"
    "\n"
    "`pieroned` runs without any configuration: then it listens on loopback only. Values come\n"
    "from, each over the one before:\n"
    "\n"
    "1. the defaults below;\n"
    "2. a YAML file, given by `-c FILE` ([example](pieroned.example.yaml)), where the parts of a\n"
    "   key nest: `tls.key` is `key:` indented below `tls:`;\n"
    "3. environment variables: `PIERONE_` and the key in upper case, with `_` for `.`; an empty\n"
    "   variable counts as not set;\n"
    "4. the flags `--listen` and `--data`.\n"
    "\n"
    "An unknown key or a wrong value stops the start, with all that is wrong and where.\n"
    "`pieroned -c FILE --check-config` tells without starting. On SIGHUP the server reads "
    "`log.level`\n"
    "and the certificate again; the rest takes a restart.\n"
    "\n"
    "Sizes are bytes, or a number with `K`, `M`, `G` or `T` (also `KiB` and so on, powers of "
    "1024).\n"
    "Durations take their unit: `ms`, `s`, `m`, `h` or `d`.\n";

static const char yaml_head[] =
    "## Settings of pieroned, all at their defaults: `pieroned -c THIS_FILE`.\n"
    "## Remove the # before a setting, and before the name of its section, to change it.\n"
    "## docs/configuration.md tells more. Written by `pieroned --print-configuration yaml`.\n";

static const struct settings_part parts[] = {
    {&settings_table, 0},
};

const struct settings_schema settings_schema = {
    .parts = parts,
    .count = ARRAY_LEN(parts),
    .markdown_head = markdown_head,
    .yaml_head = yaml_head,
};

/* PGSSLMODE is not among them: alone, it names no database. */
static const char *const database_names[] = {"DB_SUBNAME", "DB_USER", "DB_PASSWORD"};

static void refuse_database(char *const *environment, struct problems *problems);

enum error_code settings_load(const struct settings_sources *sources, struct settings *settings_out,
                              struct problems *problems)
{
    struct settings settings;
    struct settings_target target;

    settings_init(&settings);
    target = settings_target(&settings);
    if (sources->environment) {
        refuse_database(sources->environment, problems);
    }
    settings_read(sources, &target, problems);
    if (problems_is_empty(problems)) {
        settings_check(&settings, problems);
    }
    if (!problems_is_empty(problems)) {
        settings_release(&settings);
        return ERROR_INVALID;
    }
    *settings_out = settings;
    return OK;
}

/* Ignored, they would give an empty registry to whoever expects what the original's one holds. */
static void refuse_database(char *const *environment, struct problems *problems)
{
    for (size_t i = 0; i < ARRAY_LEN(database_names); i++) {
        if (settings_environment_find(environment, database_names[i]).length > 0) {
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

bool settings_has_provider(const struct settings *settings)
{
    return settings->auth.users_file || settings->auth.tokeninfo_url ||
           settings->auth.introspection.url || settings->auth.oidc.issuer ||
           settings->auth.iidinfo_url;
}

void settings_release(struct settings *settings)
{
    arena_release(&settings->texts);
}

void settings_init(struct settings *settings)
{
    struct settings_target target;

    *settings = (struct settings){0};
    arena_init(&settings->texts, TEXTS_MAX_BYTES);
    settings->texts.is_secret = true;
    target = settings_target(settings);
    settings_set_defaults(&target);
}

struct settings_target settings_target(struct settings *settings)
{
    return (struct settings_target){&settings_schema, settings, &settings->texts};
}
