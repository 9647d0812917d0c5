#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "base/error.h"
#include "base/str.h"

enum { LISTEN_HOST_BYTES = 256, LISTEN_PORT_MAX = 65535 };

/* Where to listen: `HOST:PORT` or `[IPV6]:PORT`, taken apart. */
struct listen_address {
    char host[LISTEN_HOST_BYTES]; /* without brackets */
    bool is_ipv6;
    unsigned port; /* 0: the system chooses */
};

/* ERROR_INVALID says what is wrong with it. Looks up no names. */
MUST_USE enum error_code listen_address_parse(struct str text, struct listen_address *address_out,
                                              struct error *err);

/*
 * True if only this machine can reach it: 127.0.0.0/8, ::1, or `localhost`, which always means
 * these (RFC 6761 6.3).
 */
bool listen_address_is_loopback(const struct listen_address *address);

enum { LISTEN_TEXT_BYTES = LISTEN_HOST_BYTES + sizeof("[]:65535") };

/* The form that listen_address_parse reads, with this port. */
void listen_address_format(const struct listen_address *address, unsigned port,
                           char text_out[LISTEN_TEXT_BYTES]);
