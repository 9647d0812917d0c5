#include "server/settings.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "server/settings_check.h"
#include "server/settings_environment.h"
#include "server/settings_file.h"
#include "server/settings_table.h"
#include "server/settings_value.h"

/* Each text has its own bounds by where it comes from; this is for all of them. */
enum { TEXTS_MAX_BYTES = 4 * SETTINGS_FILE_MAX_BYTES };

static void apply_file(const char *path, struct settings *settings, struct problems *problems);
static enum error_code read_file(const char *path, struct strbuf *buf, struct error *err);
static enum error_code read_descriptor(int fd, const char *path, struct strbuf *buf,
                                       struct error *err);
static void apply_overrides(const struct settings_sources *sources, struct settings *settings,
                            struct problems *problems);

enum error_code settings_load(const struct settings_sources *sources, struct settings *settings_out,
                              struct problems *problems)
{
    struct settings settings;

    settings_init(&settings);
    if (sources->environment) {
        settings_environment_defaults(sources->environment, &settings, problems);
    }
    if (sources->file) {
        apply_file(sources->file, &settings, problems);
    }
    if (sources->environment) {
        settings_environment_apply(sources->environment, &settings, problems);
    }
    apply_overrides(sources, &settings, problems);
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
    *settings = (struct settings){0};
    arena_init(&settings->texts, TEXTS_MAX_BYTES);
    settings->texts.is_secret = true;
    for (size_t i = 0; i < settings_table_length; i++) {
        const struct setting *const setting = &settings_table[i];

        if (setting->default_text) {
            const enum error_code code =
                setting_value_set(setting, str_from(setting->default_text), settings, NULL);

            assert(code == OK);
            (void)code;
        }
    }
}

static void apply_file(const char *path, struct settings *settings, struct problems *problems)
{
    CLEANUP(strbuf_release) struct strbuf text;
    struct error err;

    strbuf_init(&text, SETTINGS_FILE_MAX_BYTES);
    if (read_file(path, &text, &err)) {
        problems_add(problems, "%s", err.message);
        return;
    }
    settings_file_apply(path, strbuf_str(&text), settings, problems);
}

static enum error_code read_file(const char *path, struct strbuf *buf, struct error *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum error_code code;

    if (fd < 0) {
        return error_set_errno(err, "cannot read %s", path);
    }
    code = read_descriptor(fd, path, buf, err);
    (void)close(fd);
    return code;
}

/* The buffer's limit is that of the file. */
static enum error_code read_descriptor(int fd, const char *path, struct strbuf *buf,
                                       struct error *err)
{
    char chunk[8192];

    while (!buf->is_truncated) {
        const ssize_t length = read(fd, chunk, sizeof(chunk));

        if (length == 0) {
            return OK;
        }
        if (length > 0) {
            strbuf_append(buf, (struct str){chunk, (size_t)length});
        } else if (errno != EINTR) {
            return error_set_errno(err, "cannot read %s", path);
        }
    }
    return error_set(err, ERROR_TOO_LARGE, "%s: is larger than %d bytes", path,
                     SETTINGS_FILE_MAX_BYTES);
}

static void apply_overrides(const struct settings_sources *sources, struct settings *settings,
                            struct problems *problems)
{
    for (size_t i = 0; i < sources->override_count; i++) {
        const struct settings_override *const override = &sources->overrides[i];
        const struct setting *const setting = settings_table_find(str_from(override->key));
        struct error err;

        assert(setting);
        if (setting_value_set(setting, str_from(override->value), settings, &err)) {
            problems_add(problems, "--%s: %s", override->flag, err.message);
        }
    }
}
