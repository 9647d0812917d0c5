#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"

/* A server of a database, and who we are to it, as they are told to connect. */
struct database_server {
    const char *host;
    uint16_t port;
    const char *user;
};

/*
 * Where the password of each new connection comes from, if it is not always the same. Called by any
 * thread, several at once; may block on the network.
 */
struct database_passwords {
    /* Appends the password for that server. */
    enum error_code (*get)(void *context, const struct database_server *server,
                           struct strbuf *password, struct error *err);
    /* A connection with the latest one could not be made: maybe it is to blame. */
    void (*doubt)(void *context, const struct database_server *server);
    void *context;
};
