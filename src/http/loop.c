#include "http/loop.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/workers.h"
#include "http/pace.h"

enum { EVENTS_PER_WAIT = 256, HANDSHAKES_PER_TURN = 2 };

struct loop {
    struct connection_world *world;
    struct loop_acceptor acceptor;
    bool is_paused; /* the acceptor; until the next sweep */
    atomic_bool ends_accepting;
    pthread_t thread;
    bool is_started;
    atomic_bool is_stopping;
    int epoll_fd;
    int wake_fd;
    bool is_woken;    /* by wake_fd, since the last batch of events */
    struct pace pace; /* of sweeps: looks at all deadlines */

    pthread_mutex_t inbox_mutex; /* guards inbox */
    struct list_node inbox;      /* connections that others gave */

    struct list_node resting; /* connections that wait for an event */
    struct list_node ready;   /* connections that wait for their turn */
};

void loop_set_accepting(struct loop *loop, bool is_accepting)
{
    struct epoll_event event = {.events = is_accepting ? EPOLLIN : 0, .data.ptr = &loop->acceptor};

    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, loop->acceptor.fd, &event);
    loop->is_paused = !is_accepting;
}

static struct connection *connection_of(struct list_node *node)
{
    return (struct connection *)(void *)((char *)node - offsetof(struct connection, node));
}

/*
 * Watches for these events, or for none. None takes the socket out of the set: hang-ups are
 * reported even for an empty set of events, and would reach a loop that does not own the connection
 * then.
 */
static void watch_connection(struct loop *loop, struct connection *connection, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    const int operation = events == 0                       ? EPOLL_CTL_DEL
                          : connection->watched_events == 0 ? EPOLL_CTL_ADD
                                                            : EPOLL_CTL_MOD;
    int failed = 0;

    if (events == connection->watched_events) {
        return;
    }
    failed = epoll_ctl(loop->epoll_fd, operation, connection->transport.fd, &event);
    assert(failed == 0 || errno == ENOMEM || errno == ENOSPC);
    connection->watched_events = failed == 0 ? events : 0;
}

static void rest(struct loop *loop, struct connection *connection, uint32_t events)
{
    list_remove(&connection->node);
    list_append(&loop->resting, &connection->node);
    watch_connection(loop, connection, events);
}

/* Until the next sweep, which then comes soon. */
static void park(struct loop *loop, struct connection *connection)
{
    connection->is_parked = true;
    pace_hurry(&loop->pace, clock_monotonic_ms(loop->world->config->clock));
    rest(loop, connection, 0);
}

static struct connection *connection_of_job(struct job *job)
{
    return (struct connection *)job; /* its first member */
}

static void run_on_worker(struct job *job)
{
    struct connection *connection = connection_of_job(job);
    const atomic_bool *is_stopping = &connection->world->is_stopping;
    enum connection_want want = WANT_CLOSE;

    if (!atomic_load_explicit(is_stopping, memory_order_relaxed)) {
        want = connection_run(connection, connection->pool);
    }
    if (atomic_load_explicit(is_stopping, memory_order_relaxed)) {
        want = WANT_CLOSE;
    }
    if (want == WANT_WORKER) {
        connection_submit(connection);
        return;
    }
    connection->want = want;
    loop_give(connection->loop, connection);
}

static void close_connection(struct connection *connection)
{
    list_remove(&connection->node);
    connection_abort(connection);
    connection_free(connection); /* closing the socket takes it out of epoll */
}

/* Sees to what a connection wants. It may be freed, or another's, afterwards. */
static void dispatch(struct loop *loop, struct connection *connection, enum connection_want want)
{
    while (want == WANT_LOOP) {
        want = connection_run(connection, HTTP_LOOP);
    }
    switch (want) {
    case WANT_READ:
        rest(loop, connection, EPOLLIN);
        return;
    case WANT_WRITE:
        rest(loop, connection, EPOLLOUT);
        return;
    case WANT_LATER:
        park(loop, connection);
        return;
    case WANT_TURN:
        list_remove(&connection->node);
        list_append(&loop->ready, &connection->node);
        return;
    case WANT_WORKER:
        list_remove(&connection->node);
        watch_connection(loop, connection, 0);
        connection->job.run = run_on_worker;
        connection_submit(connection);
        return;
    case WANT_CLOSE:
        close_connection(connection);
        return;
    case WANT_NEXT:
    case WANT_LOOP:
        break;
    }
    abort(); /* connection_run returns neither here */
}

/* Sees to those that wait for events: whether their time is over, or they are to end. */
static void check_resting(struct loop *loop, bool drains)
{
    const int64_t now_ms = clock_monotonic_ms(loop->world->config->clock);
    struct list_node checked;

    list_init(&checked);
    list_append_all(&checked, &loop->resting);
    while (!list_is_empty(&checked)) {
        struct connection *connection = connection_of(checked.next);
        const enum connection_want want =
            drains ? connection_drain(connection) : connection_expire(connection, now_ms);

        list_remove(&connection->node);
        list_append(&loop->resting, &connection->node);
        if (want != WANT_NEXT) {
            dispatch(loop, connection, want);
        }
    }
}

/* Looks at all deadlines, some times a second. Simple, and cheap: some ns a connection. */
static void sweep(struct loop *loop)
{
    if (!pace_is_due(&loop->pace, clock_monotonic_ms(loop->world->config->clock))) {
        return;
    }
    if (loop->is_paused) {
        loop_set_accepting(loop, true);
    }
    check_resting(loop, false);
}

static enum error_code watch(struct loop *loop, int fd, void *tag, struct error *err)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = tag};

    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0
               ? error_set_errno(err, "cannot set up an event loop")
               : OK;
}

enum error_code loop_new(struct connection_world *world, const struct loop_acceptor *acceptor,
                         struct loop **loop_out, struct error *err)
{
    struct loop *loop = memory_new(1, sizeof(*loop));
    enum error_code code = OK;

    loop->world = world;
    loop->acceptor = *acceptor;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pace_init(&loop->pace, &world->config->limits);
    (void)pthread_mutex_init(&loop->inbox_mutex, NULL);
    list_init(&loop->inbox);
    list_init(&loop->resting);
    list_init(&loop->ready);
    if (loop->epoll_fd < 0 || loop->wake_fd < 0) {
        code = error_set_errno(err, "cannot set up an event loop");
    }
    if (!code) {
        code = watch(loop, loop->wake_fd, &loop->wake_fd, err);
    }
    if (!code && acceptor->fd >= 0) {
        code = watch(loop, acceptor->fd, &loop->acceptor, err);
    }
    if (code) {
        loop_free(loop);
        return code;
    }
    *loop_out = loop;
    return OK;
}

static int wait_ms(const struct loop *loop)
{
    if (!list_is_empty(&loop->ready)) {
        return 0;
    }
    return list_is_empty(&loop->resting) && !loop->is_paused ? -1 : pace_wait_ms(&loop->pace);
}

static void serve_event(struct loop *loop, const struct epoll_event *event)
{
    struct connection *connection = event->data.ptr;
    uint64_t wakes = 0;

    if (event->data.ptr == &loop->wake_fd) {
        (void)!read(loop->wake_fd, &wakes, sizeof(wakes));
        loop->is_woken = true;
        return;
    }
    if (event->data.ptr == &loop->acceptor) {
        (void)loop->acceptor.accept(loop->acceptor.context);
        return;
    }
    connection->may_read = true;
    dispatch(loop, connection, connection_run(connection, HTTP_LOOP));
}

/*
 * Looks at what others have changed. Not from serve_event: a connection that is closed here may
 * have an event of its own in the same batch.
 */
static void heed_wake(struct loop *loop)
{
    if (!loop->is_woken) {
        return;
    }
    loop->is_woken = false;
    if (atomic_load(&loop->world->is_draining)) {
        check_resting(loop, true);
    }
    if (atomic_exchange(&loop->ends_accepting, false)) {
        while (loop->acceptor.accept(loop->acceptor.context)) {
        }
        loop->acceptor.end(loop->acceptor.context);
        loop->is_paused = false;
    }
}

static void take_inbox(struct loop *loop)
{
    struct list_node taken;

    list_init(&taken);
    (void)pthread_mutex_lock(&loop->inbox_mutex);
    list_append_all(&taken, &loop->inbox);
    (void)pthread_mutex_unlock(&loop->inbox_mutex);
    while (!list_is_empty(&taken)) {
        struct connection *connection = connection_of(taken.next);

        list_remove(&connection->node);
        dispatch(loop, connection, connection->want);
    }
}

/* Runs each connection that is ready now once, but few that shake hands; the others next time. */
static void run_ready(struct loop *loop)
{
    struct list_node taken;
    unsigned handshakes = 0;

    list_init(&taken);
    list_append_all(&taken, &loop->ready);
    while (!list_is_empty(&taken)) {
        struct connection *connection = connection_of(taken.next);
        const bool is_due =
            connection->state != CONNECTION_HANDSHAKE || handshakes++ < HANDSHAKES_PER_TURN;

        dispatch(loop, connection, is_due ? connection_run(connection, HTTP_LOOP) : WANT_TURN);
    }
}

static void abort_all(struct list_node *list)
{
    while (!list_is_empty(list)) {
        close_connection(connection_of(list->next));
    }
}

static void *loop_run(void *argument)
{
    struct loop *loop = argument;
    struct epoll_event events[EVENTS_PER_WAIT];

    scheduling_be_prompt();
    while (!atomic_load(&loop->is_stopping)) {
        const int count = epoll_wait(loop->epoll_fd, events, EVENTS_PER_WAIT, wait_ms(loop));

        for (int i = 0; i < count; i++) {
            serve_event(loop, &events[i]);
        }
        heed_wake(loop);
        take_inbox(loop);
        run_ready(loop);
        sweep(loop);
    }
    take_inbox(loop);
    abort_all(&loop->ready);
    abort_all(&loop->resting);
    return NULL;
}

enum error_code loop_start(struct loop *loop, struct error *err)
{
    const int failure = pthread_create(&loop->thread, NULL, loop_run, loop);

    if (failure != 0) {
        return error_set(err, ERROR_UNAVAILABLE, "cannot start an event loop's thread: %s",
                         strerrordesc_np(failure));
    }
    loop->is_started = true;
    return OK;
}

void loop_wake(struct loop *loop)
{
    const uint64_t one = 1;

    (void)!write(loop->wake_fd, &one, sizeof(one));
}

void loop_give(struct loop *loop, struct connection *connection)
{
    bool was_empty = false;

    connection->loop = loop;
    (void)pthread_mutex_lock(&loop->inbox_mutex);
    was_empty = list_is_empty(&loop->inbox);
    list_append(&loop->inbox, &connection->node);
    (void)pthread_mutex_unlock(&loop->inbox_mutex);
    if (was_empty) {
        loop_wake(loop);
    }
}

void loop_end_accepting(struct loop *loop)
{
    atomic_store(&loop->ends_accepting, true);
    loop_wake(loop);
}

void loop_stop(struct loop *loop)
{
    if (!loop || !loop->is_started) {
        return;
    }
    atomic_store(&loop->is_stopping, true);
    loop_wake(loop);
    (void)pthread_join(loop->thread, NULL);
    loop->is_started = false;
}

void loop_free(struct loop *loop)
{
    if (!loop) {
        return;
    }
    abort_all(&loop->inbox);
    (void)close(loop->epoll_fd);
    (void)close(loop->wake_fd);
    (void)pthread_mutex_destroy(&loop->inbox_mutex);
    free(loop);
}
