#pragma once

#include "auth/token_keys.h"
#include "base/attributes.h"
#include "base/chores.h"
#include "base/error.h"
#include "base/log.h"
#include "http/server.h"
#include "registry/registry.h"
#include "server/settings.h"

/* What the server does beside answering: it ends what rested for too long, and renews keys. */
struct housekeeping {
    struct registry *registry;     /* borrowed, as the next two */
    struct token_keys *token_keys; /* NULL: none */
    struct log *log;
    int64_t interval_ms;
    int64_t keys_interval_ms; /* of looking at token_keys */
    struct chores *chores;    /* NULL until it is started */
};

/* It stays where it is until housekeeping_end. */
MUST_USE enum error_code housekeeping_start(struct housekeeping *housekeeping, struct error *err);

/* Accepts one that was not started. */
void housekeeping_end(struct housekeeping *housekeeping);

/* What SIGHUP works on; all is borrowed. */
struct reload {
    const struct settings_sources *sources;
    struct settings *settings; /* as the server runs */
    struct log *log;
    struct http_server *server;
};

/*
 * Reads the settings again and takes over log.level; reads certificate and key again. Logs each
 * setting that differs from the running ones, and whether that takes a restart. What is wrong is
 * logged, and everything stays as it was.
 */
void reload_run(const struct reload *reload);
