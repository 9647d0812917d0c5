#include "server/check_config.h"

#include <unistd.h>

#include "http/tls.h"
#include "server/admission.h"
#include "server/data_folder.h"
#include "server/settings.h"
#include "server/storage.h"

static void check_config_data(const struct settings *settings, char path_out[PATH_MAX],
                              struct problems *problems)
{
    struct error err;

    if (data_folder_check(settings->data, path_out, &err)) {
        problems_add(problems, "data: %s", err.message);
    }
}

static void check_config_tls(const struct settings *settings, struct problems *problems)
{
    struct tls *tls = NULL;
    struct error err;

    if (!settings->tls.certificate) {
        return;
    }
    if (tls_new(&settings->tls, &clock_system, &tls, &err)) {
        problems_add(problems, "%s", err.message);
        return;
    }
    tls_free(tls);
}

static void append_head(struct strbuf *report, const struct settings *settings,
                        const char *data_path)
{
    strbuf_append_format(report, "listen: %s (%s)\n", settings->listen,
                         settings->tls.certificate ? "TLS" : "plain HTTP");
    if (settings_warning(settings)) {
        strbuf_append_format(report, "warning: %s\n", settings_warning(settings));
    }
    if (data_path[0] != '\0') {
        strbuf_append_format(report, "data: %s\n", data_path);
    }
}

static void check_config_admission(const struct settings *settings, struct strbuf *report,
                                   struct problems *problems)
{
    struct log log;

    if (!auth_settings_has_provider(&settings->auth)) {
        strbuf_append_text(report,
                           "open: no identity provider, everybody who reaches it may push\n");
        return;
    }
    log_init(&log, STDERR_FILENO, LOG_TEXT, LOG_ERROR, &clock_system);
    admission_check(settings, &log, report, problems);
}

static bool check_config_conclude(const struct strbuf *details, struct strbuf *report,
                                  const struct problems *problems)
{
    const bool is_valid = problems_is_empty(problems);

    strbuf_append_text(report,
                       is_valid ? "configuration is valid\n" : "configuration is not valid\n");
    strbuf_append(report, strbuf_str(details));
    return is_valid;
}

bool check_config(const struct settings_sources *sources, struct strbuf *report,
                  struct problems *problems)
{
    CLEANUP(strbuf_release) struct strbuf details;
    char data_path[PATH_MAX] = "";
    struct settings settings;

    strbuf_init(&details, CHECK_REPORT_MAX_BYTES);
    if (settings_load(sources, &settings, problems)) {
        return false;
    }
    check_config_data(&settings, data_path, problems);
    check_config_tls(&settings, problems);
    append_head(&details, &settings, data_path);
    check_config_admission(&settings, &details, problems);
    storage_check(&settings, &details, problems);
    settings_release(&settings);
    return check_config_conclude(&details, report, problems);
}
