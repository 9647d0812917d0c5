#include "server/settings_check.h"

#include <inttypes.h>

#include "server/listen_address.h"

static void check_open(const struct settings *settings, struct problems *problems);
static void check_tls(const struct settings *settings, struct problems *problems);
static void check_memory(const struct settings *settings, struct problems *problems);

void settings_check(const struct settings *settings, struct problems *problems)
{
    check_open(settings, problems);
    check_tls(settings, problems);
    check_memory(settings, problems);
}

static void check_open(const struct settings *settings, struct problems *problems)
{
    struct listen_address address;
    struct error err;

    if (listen_address_parse(str_from(settings->listen), &address, &err)) {
        problems_add(problems, "listen: %s", err.message);
        return;
    }
    if (!settings->allow_open && !listen_address_is_loopback(&address)) {
        problems_add(problems,
                     "listen: other machines can reach \"%s\", and without an identity provider "
                     "everybody may push: listen on 127.0.0.1, or set allow_open to true",
                     settings->listen);
    }
}

static void check_tls(const struct settings *settings, struct problems *problems)
{
    if (settings->tls.certificate && !settings->tls.key) {
        problems_add(problems, "tls.key: is missing, tls.certificate is set");
    }
    if (settings->tls.key && !settings->tls.certificate) {
        problems_add(problems, "tls.certificate: is missing, tls.key is set");
    }
}

/* A request that carries a manifest holds it once as it arrives and once as it is worked on. */
static void check_memory(const struct settings *settings, struct problems *problems)
{
    const uint64_t needed_bytes = 2 * settings->manifest_max_bytes;

    if (settings->limits.arena_bytes < needed_bytes) {
        problems_add(problems,
                     "limits.request_memory: must be at least twice limits.manifest_size: %" PRIu64
                     " bytes",
                     needed_bytes);
    }
}
