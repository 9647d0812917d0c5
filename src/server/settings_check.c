#include "server/settings_check.h"

#include <inttypes.h>

#include "server/listen_address.h"

static void check_open(const struct settings *settings, struct problems *problems);
static void check_memory(const struct settings *settings, struct problems *problems);

void settings_check(const struct settings *settings, struct problems *problems)
{
    check_open(settings, problems);
    if (!auth_settings_has_provider(&settings->auth)) {
        team_settings_check_open(&settings->teams, problems);
    }
    check_memory(settings, problems);
    settings_schema_check(&settings_schema, settings, problems);
}

const char *settings_warning(const struct settings *settings)
{
    struct listen_address address;

    if (!auth_settings_has_provider(&settings->auth) || settings->tls.certificate ||
        settings->public_url || listen_address_parse(str_from(settings->listen), &address, NULL) ||
        listen_address_is_loopback(&address)) {
        return NULL;
    }
    return "clients may send their logins without TLS: set tls.certificate, or, where a proxy "
           "speaks TLS, public_url to its address (https://...)";
}

void settings_warn(const struct settings *settings, struct log *log)
{
    const char *const warning = settings_warning(settings);

    if (!auth_settings_has_provider(&settings->auth)) {
        log_message(log, LOG_WARNING, "open",
                    "there is no identity provider: everybody who reaches this server may push");
    }
    if (warning) {
        log_message(log, LOG_WARNING, "without_tls", "%s", warning);
    }
}

static void check_open(const struct settings *settings, struct problems *problems)
{
    struct listen_address address;
    struct error err;

    if (listen_address_parse(str_from(settings->listen), &address, &err)) {
        problems_add(problems, "listen: %s", err.message);
        return;
    }
    if (!settings->allow_open && !auth_settings_has_provider(&settings->auth) &&
        !listen_address_is_loopback(&address)) {
        problems_add(problems,
                     "listen: other machines can reach \"%s\", and without an identity provider "
                     "everybody may push: set one up (auth.users_file needs nobody else), listen "
                     "on 127.0.0.1, or set allow_open to true",
                     settings->listen);
    }
}

/* A request that carries a manifest holds it once as it arrives and once as it is worked on. */
static void check_memory(const struct settings *settings, struct problems *problems)
{
    const uint64_t needed_bytes = 2 * (uint64_t)settings->registry.manifest_max_bytes;

    if (settings->limits.arena_bytes < needed_bytes) {
        problems_add(problems,
                     "limits.request_memory: must be at least twice limits.manifest_size: %" PRIu64
                     " bytes",
                     needed_bytes);
    }
}
