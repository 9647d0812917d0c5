#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/attributes.h"
#include "base/error.h"
#include "http/connection.h"

/*
 * An event loop: a thread that owns connections, runs them when their sockets are ready and lends
 * them to workers. It never waits for anything but events.
 */
struct loop;

/* The listening socket of the one loop that has it. All calls are on the loop's own thread. */
struct loop_acceptor {
    int fd;                        /* -1: this loop does not listen */
    bool (*accept)(void *context); /* accepts some; false: nobody waits, or none can be taken now */
    void (*end)(void *context);    /* closes the socket, after the last client was accepted */
    void *context;
};

MUST_USE enum error_code loop_new(struct connection_world *world,
                                  const struct loop_acceptor *acceptor, struct loop **loop_out,
                                  struct error *err);
MUST_USE enum error_code loop_start(struct loop *loop, struct error *err);

/* Makes the loop look at what has changed: is_draining, or that it is to stop. From any thread. */
void loop_wake(struct loop *loop);

/* Hands a connection over, which then does what its `want` says. From any thread. */
void loop_give(struct loop *loop, struct connection *connection);

/* Makes the loop accept who waits, and then end accepting. From any thread. */
void loop_end_accepting(struct loop *loop);

/* Lets the listening socket alone for a moment, or goes on. On the loop's own thread. */
void loop_set_accepting(struct loop *loop, bool is_accepting);

/* Ends the thread and aborts the connections that it owns. NULL is accepted. */
void loop_stop(struct loop *loop);

/* Once it is stopped, and the workers too: aborts what they gave back meanwhile. NULL is accepted.
 */
void loop_free(struct loop *loop);
