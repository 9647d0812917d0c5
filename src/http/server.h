#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "http/exchange.h"
#include "http/http_settings.h"
#include "http/tls.h"

struct http_server;

struct http_server_config {
    const char *listen; /* HOST:PORT, [IPV6]:PORT; port 0 lets the system choose */
    struct tls_config tls;
    struct http_limits limits;
    struct http_application application;
    struct log *log;
    const struct clock *clock;
    struct metrics *metrics; /* NULL: nothing is counted */
};

/*
 * Listens, but accepts nothing yet. ERROR_INVALID for an address or certificate that cannot be
 * used, with what to do in err. `config` is copied; what it points to must outlive the server.
 */
MUST_USE enum error_code http_server_new(const struct http_server_config *config,
                                         struct http_server **server_out, struct error *err);

/* Starts loops and workers and returns. */
MUST_USE enum error_code http_server_start(struct http_server *server, struct error *err);

/* The port that it listens on. */
unsigned http_server_port(const struct http_server *server);

/* Reads the certificate and key again, for connections from now on. On failure the old ones stay.
 */
MUST_USE enum error_code http_server_reload(struct http_server *server, struct error *err);

/* True from http_server_drain on: readiness should fail. */
bool http_server_is_draining(const struct http_server *server);

/*
 * Ends in order and returns when done: after drain_delay_ms accepts what is queued and nothing
 * more, closes idle connections, gives requests in flight drain_timeout_ms to finish, joins all
 * threads.
 */
void http_server_drain(struct http_server *server);

/* Ends at once what is left. NULL is accepted. */
void http_server_free(struct http_server *server);
