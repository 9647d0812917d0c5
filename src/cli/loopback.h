#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"

/*
 * Awaits the browser that an authorization server sends back (RFC 8252 7.3): one request for
 * /callback on a port of 127.0.0.1. Everything else there is answered 404.
 */
struct loopback {
    int fd;
    uint16_t port;
};

enum { LOOPBACK_REQUEST_MAX_BYTES = 16 * 1024 };

/* port 0: any that is free. ERROR_INVALID: it is taken. */
MUST_USE enum error_code loopback_open(uint16_t port, struct loopback *loopback_out,
                                       struct error *err);

/* Waits and appends the query of the request. ERROR_UNAUTHENTICATED: nobody came in time. */
MUST_USE enum error_code loopback_await(struct loopback *loopback, int64_t timeout_ms,
                                        struct strbuf *query, struct error *err);

void loopback_close(struct loopback *loopback);
