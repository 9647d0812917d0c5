#pragma once

#include "base/log.h"
#include "http/server.h"
#include "server/settings.h"

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
