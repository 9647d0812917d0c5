#pragma once

#include <stdint.h>
#include <sys/epoll.h>

#include "base/attributes.h"
#include "base/error.h"

/* epoll(7), as far as an event loop needs it. */
struct poller {
    int epoll_fd;
};

MUST_USE enum error_code poller_init(struct poller *poller, struct error *err);
void poller_release(struct poller *poller);

/* Reports with that tag whenever fd is readable. */
MUST_USE enum error_code poller_watch(struct poller *poller, int fd, void *tag, struct error *err);

/* A socket that is watched for changing events. */
struct poller_socket {
    int fd;
    void *tag;
    uint32_t events; /* that it is watched for now; 0: it is not in the set */
};

/*
 * Watches for these events, or for none. None takes the socket out of the set: hang-ups are
 * reported even for an empty set of events, and would reach a loop that does not own the connection
 * then.
 */
void poller_arm(struct poller *poller, struct poller_socket *socket, uint32_t events);
