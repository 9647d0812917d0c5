#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

/*
 * Awaits the browser that an authorization server sends back (RFC 8252 7.3): one request for
 * /callback on a port of 127.0.0.1. Everything else there is answered 404.
 */
struct loopback {
    int fd;
    uint16_t port;
};

/* What a query is, and so which page the browser gets. */
enum loopback_verdict {
    LOOPBACK_FOREIGN = 0, /* not the one that is awaited, which may still come */
    LOOPBACK_DONE,
    LOOPBACK_REFUSED, /* the one that is awaited, but no login */
};

struct loopback_judge {
    void *context;
    enum loopback_verdict (*judge)(void *context, struct str query);
};

enum { LOOPBACK_REQUEST_MAX_BYTES = 16 * 1024 };

/* port 0: any that is free. ERROR_INVALID: it is taken. */
MUST_USE enum error_code loopback_open(uint16_t port, struct loopback *loopback_out,
                                       struct error *err);

/* Waits for a query that is not foreign. ERROR_UNAUTHENTICATED: none came in time. */
MUST_USE enum error_code loopback_await(struct loopback *loopback, int64_t timeout_ms,
                                        const struct loopback_judge *judge, struct error *err);

void loopback_close(struct loopback *loopback);
