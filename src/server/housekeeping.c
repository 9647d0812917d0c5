#include "server/housekeeping.h"

#include <stdatomic.h>

#include "registry/uploads.h"
#include "settings/schema.h"
#include "settings/value.h"

/* Between two batches, for whoever pushes. */
enum { EXPIRY_PAUSE_MS = 100 };

enum { VALUE_MAX_BYTES = 4096 };

static int64_t renew_token_keys(void *context)
{
    const struct housekeeping *const housekeeping = context;
    struct error err;

    if (housekeeping->token_keys && token_keys_refresh(housekeeping->token_keys, &err)) {
        log_message(housekeeping->log, LOG_WARNING, "token_keys_not_renewed", "%s", err.message);
    }
    return housekeeping->keys_interval_ms;
}

static int64_t expire_uploads(void *context)
{
    const struct housekeeping *const housekeeping = context;
    struct upload_expiry expiry;
    struct error err;

    if (registry_expire_uploads(housekeeping->registry, &expiry, &err)) {
        log_message(housekeeping->log, LOG_WARNING, "expire_failed", "%s", err.message);
    } else if (expiry.expired > 0) {
        log_message(housekeeping->log, LOG_INFO, "uploads_expired", "%zu unfinished uploads",
                    expiry.expired);
    }
    return expiry.has_more ? EXPIRY_PAUSE_MS : housekeeping->interval_ms;
}

enum error_code housekeeping_start(struct housekeeping *housekeeping, struct error *err)
{
    const struct chore list[] = {
        {renew_token_keys, housekeeping, housekeeping->keys_interval_ms},
        {expire_uploads, housekeeping, 0}, /* however often the server is started again */
    };

    return chores_start(list, ARRAY_LEN(list), &clock_system, &housekeeping->chores, err);
}

void housekeeping_end(struct housekeeping *housekeeping)
{
    chores_end(housekeeping->chores);
    housekeeping->chores = NULL;
}

static void log_problems(struct log *log, const struct problems *problems)
{
    struct str rest = problems_lines(problems);
    struct str line;

    while (str_cut(&rest, '\n', &line)) {
        log_message(log, LOG_ERROR, "reload_failed", "%.*s", STR_FORMAT(line));
    }
}

static void log_change(const struct reload *reload, const struct setting *setting,
                       struct str before, struct str after)
{
    const bool is_now = setting->offset == offsetof(struct settings, log.level);
    struct log_line line;

    log_begin(&line, reload->log, is_now ? LOG_INFO : LOG_WARNING, "setting_changed");
    log_text(&line, "key", str_from(setting->key));
    log_text(&line, "before", before);
    log_text(&line, "after", after);
    log_text(&line, "effective", str_from(is_now ? "now" : "after a restart"));
    log_end(&line);
}

static void log_changes(const struct reload *reload, const struct settings *fresh)
{
    CLEANUP(strbuf_release) struct strbuf before;
    CLEANUP(strbuf_release) struct strbuf after;

    strbuf_init(&before, VALUE_MAX_BYTES);
    strbuf_init(&after, VALUE_MAX_BYTES);
    for (size_t i = 0; i < settings_schema_count(&settings_schema); i++) {
        const struct setting setting = settings_schema_at(&settings_schema, i);

        strbuf_clear(&before);
        strbuf_clear(&after);
        setting_value_append(&setting, reload->settings, &before);
        setting_value_append(&setting, fresh, &after);
        if (!str_equal(strbuf_str(&before), strbuf_str(&after))) {
            log_change(reload, &setting, strbuf_str(&before), strbuf_str(&after));
        }
    }
}

static void reload_certificate(const struct reload *reload)
{
    struct error err;

    if (!reload->settings->tls.certificate) {
        return;
    }
    if (http_server_reload(reload->server, &err)) {
        log_message(reload->log, LOG_ERROR, "certificate_kept", "%s", err.message);
        return;
    }
    log_message(reload->log, LOG_INFO, "certificate_reloaded", "%s",
                reload->settings->tls.certificate);
}

void reload_run(const struct reload *reload)
{
    CLEANUP(problems_release) struct problems problems;
    struct settings fresh;

    problems_init(&problems);
    if (settings_load(reload->sources, &fresh, &problems)) {
        log_problems(reload->log, &problems);
        return;
    }
    log_changes(reload, &fresh);
    reload->settings->log.level = fresh.log.level;
    atomic_store(&reload->log->level, fresh.log.level);
    settings_release(&fresh);
    reload_certificate(reload);
    log_message(reload->log, LOG_INFO, "reloaded", "settings were read again");
}
