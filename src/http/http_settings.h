#pragma once

#include <stddef.h>
#include <stdint.h>

#include "settings/schema.h"

/* Every bound of the HTTP server; each is a setting (`limits.…`). All but one are above zero. */
struct http_limits {
    unsigned connections;             /* open at once; more are answered 503 */
    unsigned connections_per_address; /* the share of one; 0: a fraction of all */
    unsigned loops;                   /* threads that own connections and never block */
    unsigned workers;                 /* threads that may block */
    unsigned waiters;                 /* threads that may wait for other servers */
    unsigned hashers;                 /* threads that may verify passwords: no setting */
    unsigned carriers;                /* threads that carry bodies to and from other servers */
    size_t head_bytes;                /* of a request, up to the empty line */
    size_t headers;                   /* fields of a request */
    size_t arena_bytes;               /* memory of one request */
    int64_t head_timeout_ms;  /* from its first byte to the end of a head; TLS handshakes too */
    int64_t idle_timeout_ms;  /* between requests; above a load balancer's 60 s */
    int64_t stall_timeout_ms; /* a body moves at least body_rate_bytes_per_second over this time */
    uint64_t body_rate_bytes_per_second;
    int64_t drain_delay_ms;   /* from SIGTERM until connections are no longer accepted */
    int64_t drain_timeout_ms; /* then, for requests in flight to finish */
    uint64_t discard_bytes;   /* of an unwanted body read and dropped before closing */
};

/* limits.*, over struct http_limits; loops may be 0 there: one per core. */
extern const struct settings_table http_settings_table;

/* tls.*, over struct tls_config. */
extern const struct settings_table tls_settings_table;
