#include "http/poller.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

enum error_code poller_init(struct poller *poller, struct error *err)
{
    poller->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return poller->epoll_fd < 0 ? error_set_errno(err, "cannot set up an event loop") : OK;
}

void poller_release(struct poller *poller)
{
    (void)close(poller->epoll_fd);
}

enum error_code poller_watch(struct poller *poller, int fd, void *tag, struct error *err)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = tag};

    if (epoll_ctl(poller->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        return error_set_errno(err, "cannot set up an event loop");
    }
    return OK;
}

void poller_arm(struct poller *poller, struct poller_socket *socket, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = socket->tag};
    const int operation = events == 0           ? EPOLL_CTL_DEL
                          : socket->events == 0 ? EPOLL_CTL_ADD
                                                : EPOLL_CTL_MOD;
    int failed = 0;

    if (events == socket->events) {
        return;
    }
    failed = epoll_ctl(poller->epoll_fd, operation, socket->fd, &event);
    assert(failed == 0 || errno == ENOMEM || errno == ENOSPC);
    socket->events = failed == 0 ? events : 0;
}
