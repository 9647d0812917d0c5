#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* What came of trying to move bytes without waiting. */
enum io_result {
    IO_DONE,       /* some bytes moved */
    IO_WAIT_READ,  /* try again when the socket is readable */
    IO_WAIT_WRITE, /* … or writable */
    IO_FOREIGN,    /* of a handshake: the peer has begun with HTTP instead */
    IO_CLOSED,     /* the peer is gone, or broke the protocol: nothing more will move */
};

enum { TRANSPORT_SLICE_BYTES = 128 * 1024 }; /* larger ones gain nothing and delay the others */

struct transport;

/* What a transport owes. None of these waits; a socket is always non-blocking. */
struct transport_driver {
    /* Gets ready for bytes. NULL: it is from the start. */
    enum io_result (*handshake)(struct transport *transport);

    /* IO_DONE with 0 bytes: the peer has sent all it will (half-close). */
    enum io_result (*read)(struct transport *transport, char *bytes, size_t capacity,
                           size_t *length_out);

    /* Sends some of `first` and then `second`; more_follows: the end is not to be hurried out. */
    enum io_result (*write)(struct transport *transport, struct str first, struct str second,
                            bool more_follows, size_t *sent_out);

    /* Sends some of a file that never changes, up to a slice of the `left_bytes` that the
     * response still has of it. */
    enum io_result (*send_file)(struct transport *transport, int file_fd, uint64_t offset_bytes,
                                uint64_t left_bytes, size_t *sent_out);

    /* Behind the last of a response: IO_DONE once all of it is the socket's. NULL: it always is. */
    enum io_result (*flush)(struct transport *transport);

    /* Whether bytes wait in memory, of which the socket tells nothing. NULL: never. */
    bool (*has_pending)(const struct transport *transport);

    /* Says that nothing more will be sent. */
    void (*shutdown_write)(struct transport *transport);

    void (*release)(struct transport *transport);
};

/* A client's socket, with or without TLS. */
struct transport {
    const struct transport_driver *driver;
    int fd;
    bool is_corked; /* the kernel waits for whole segments */
    void *session;  /* the driver's own */
};

/* Takes over a connected, non-blocking socket. */
void plain_transport_init(struct transport *transport, int fd);

/* Closes the socket. */
void transport_release(struct transport *transport);
