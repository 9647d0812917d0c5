#include "http/transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static enum io_result result_of(ssize_t moved, enum io_result wait, size_t *length_out)
{
    if (moved >= 0) {
        *length_out = (size_t)moved;
        return IO_DONE;
    }
    return errno == EAGAIN || errno == EINTR ? wait : IO_CLOSED;
}

static enum io_result plain_read(struct transport *transport, char *bytes, size_t capacity,
                                 size_t *length_out)
{
    return result_of(recv(transport->fd, bytes, capacity, 0), IO_WAIT_READ, length_out);
}

static enum io_result plain_write(struct transport *transport, struct str first, struct str second,
                                  bool more_follows, size_t *sent_out)
{
    /* sendmsg(2) does not change what it is given, its type is only older than const. */
    union {
        const char *borrowed;
        void *given;
    } parts[2] = {{.borrowed = first.bytes}, {.borrowed = second.bytes}};
    struct iovec vector[2] = {{parts[0].given, first.length}, {parts[1].given, second.length}};
    const struct msghdr message = {.msg_iov = vector, .msg_iovlen = ARRAY_LEN(vector)};
    const int flags = MSG_NOSIGNAL | (more_follows ? MSG_MORE : 0);

    return result_of(sendmsg(transport->fd, &message, flags), IO_WAIT_WRITE, sent_out);
}

/* Else the odd end of each slice would leave in a segment of its own (tcp(7), TCP_CORK). */
static void cork(struct transport *transport, bool is_corked)
{
    const int value = is_corked;

    if (transport->is_corked != is_corked) {
        (void)setsockopt(transport->fd, IPPROTO_TCP, TCP_CORK, &value, sizeof(value));
        transport->is_corked = is_corked;
    }
}

static enum io_result plain_send_file(struct transport *transport, int file_fd,
                                      uint64_t offset_bytes, uint64_t left_bytes, size_t *sent_out)
{
    const bool is_last = left_bytes <= TRANSPORT_SLICE_BYTES;
    off_t offset = (off_t)offset_bytes;
    ssize_t sent = 0;

    cork(transport, !is_last);
    sent = sendfile(transport->fd, file_fd, &offset,
                    is_last ? (size_t)left_bytes : (size_t)TRANSPORT_SLICE_BYTES);
    /* A file that ends early was damaged: the promised length cannot be kept. */
    return sent == 0 ? IO_CLOSED : result_of(sent, IO_WAIT_WRITE, sent_out);
}

static void plain_shutdown_write(struct transport *transport)
{
    (void)shutdown(transport->fd, SHUT_WR);
}

static void plain_release(struct transport *transport)
{
    (void)transport;
}

static const struct transport_driver plain_driver = {
    .read = plain_read,
    .write = plain_write,
    .send_file = plain_send_file,
    .shutdown_write = plain_shutdown_write,
    .release = plain_release,
};

void plain_transport_init(struct transport *transport, int fd)
{
    *transport = (struct transport){.driver = &plain_driver, .fd = fd};
}

void transport_release(struct transport *transport)
{
    transport->driver->release(transport);
    (void)close(transport->fd);
    transport->fd = -1;
}
