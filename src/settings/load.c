#include "settings/load.h"

#include <assert.h>

#include "base/file.h"
#include "settings/environment.h"
#include "settings/file.h"
#include "settings/value.h"

static void apply_file(const char *path, const struct settings_target *target,
                       struct problems *problems);
static enum error_code read_file(const char *path, struct strbuf *buf, struct error *err);
static void apply_overrides(const struct settings_sources *sources,
                            const struct settings_target *target, struct problems *problems);

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

void settings_read(const struct settings_sources *sources, const struct settings_target *target,
                   struct problems *problems)
{
    if (sources->environment) {
        settings_environment_defaults(sources->environment, target, problems);
    }
    if (sources->file) {
        apply_file(sources->file, target, problems);
    }
    if (sources->environment) {
        settings_environment_apply(sources->environment, target, problems);
    }
    apply_overrides(sources, target, problems);
}

static void apply_file(const char *path, const struct settings_target *target,
                       struct problems *problems)
{
    CLEANUP(strbuf_release) struct strbuf text;
    struct error err;

    strbuf_init(&text, SETTINGS_FILE_MAX_BYTES);
    if (read_file(path, &text, &err)) {
        problems_add(problems, "%s", err.message);
        return;
    }
    settings_file_apply(path, strbuf_str(&text), target, problems);
}

/* The buffer's limit is that of the file. */
static enum error_code read_file(const char *path, struct strbuf *buf, struct error *err)
{
    const enum error_code code = file_read(path, FILE_ANY, buf, NULL);

    if (code == ERROR_TOO_LARGE) {
        return error_set(err, ERROR_TOO_LARGE, "%s: is larger than %d bytes", path,
                         SETTINGS_FILE_MAX_BYTES);
    }
    return code ? error_set_errno(err, "cannot read %s", path) : OK;
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
