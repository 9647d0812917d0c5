#pragma once

#include "base/attributes.h"
#include "base/error.h"

/*
 * Opens a non-blocking listening socket at HOST:PORT or [IPV6]:PORT. ERROR_INVALID if that is no
 * address or cannot be used here (taken, not ours, not permitted), with what to do. The caller
 * closes it.
 */
MUST_USE enum error_code listener_open(const char *address, int *fd_out, struct error *err);

/* The port that a listening socket has got. */
unsigned listener_port(int fd);
