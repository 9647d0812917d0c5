#include "http/loop.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/workers.h"
#include "http/pace.h"
#include "http/poller.h"

enum {
    EVENTS_PER_WAIT = 256,
};

struct loop {
    struct connection_world *world;
    struct loop_acceptor acceptor;
    bool is_paused; /* the acceptor; until the next sweep */
    atomic_bool ends_accepting;
    pthread_t thread;
    bool is_started;
    atomic_bool is_stopping;
    struct poller poller;
    int wake_fd;
    bool is_woken;    /* by wake_fd, since the last batch of events */
    struct pace pace; /* of sweeps: looks at all deadlines */

    pthread_mutex_t inbox_mutex; /* guards inbox */
    struct list_node inbox;      /* connections that others gave */

    struct list_node resting; /* connections that wait for an event */
    struct list_node ready;   /* connections that wait for their turn */
};

static void *run(void *argument);
static int wait_ms(const struct loop *loop);
static void serve_event(struct loop *loop, const struct epoll_event *event);
static void empty_wake(struct loop *loop);
static void heed_wake(struct loop *loop);
static void take_inbox(struct loop *loop);
static void run_ready(struct loop *loop);
static void dispatch(struct loop *loop, struct connection *connection, enum connection_want want);
static void rest(struct loop *loop, struct connection *connection, uint32_t events);
static void park(struct loop *loop, struct connection *connection);
static void run_on_worker(struct job *job);
static void sweep(struct loop *loop);
static void set_accepting(struct loop *loop, bool is_accepting);
static void drain(struct loop *loop);
static void close_connection(struct connection *connection);
static void abort_all(struct list_node *list);
static struct connection *connection_of(struct list_node *node);

enum error_code loop_new(struct connection_world *world, const struct loop_acceptor *acceptor,
                         struct loop **loop_out, struct error *err)
{
    struct loop *loop = memory_new(1, sizeof(*loop));
    enum error_code code = OK;

    loop->world = world;
    loop->acceptor = *acceptor;
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pace_init(&loop->pace, &world->config->limits);
    (void)pthread_mutex_init(&loop->inbox_mutex, NULL);
    list_init(&loop->inbox);
    list_init(&loop->resting);
    list_init(&loop->ready);
    code = poller_init(&loop->poller, err);
    if (!code) {
        code = poller_watch(&loop->poller, loop->wake_fd, &loop->wake_fd, err);
    }
    if (!code && acceptor->fd >= 0) {
        code = poller_watch(&loop->poller, acceptor->fd, &loop->acceptor, err);
    }
    if (code) {
        loop_free(loop);
        return code;
    }
    *loop_out = loop;
    return OK;
}

enum error_code loop_start(struct loop *loop, struct error *err)
{
    const int failure = pthread_create(&loop->thread, NULL, run, loop);

    if (failure != 0) {
        return error_set(err, ERROR_UNAVAILABLE, "cannot start an event loop's thread: %s",
                         strerrordesc_np(failure));
    }
    loop->is_started = true;
    return OK;
}

static void *run(void *argument)
{
    struct loop *loop = argument;
    struct epoll_event events[EVENTS_PER_WAIT];

    scheduling_be_prompt();
    while (!atomic_load(&loop->is_stopping)) {
        const int count = epoll_wait(loop->poller.epoll_fd, events, EVENTS_PER_WAIT, wait_ms(loop));

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

    if (event->data.ptr == &loop->wake_fd) {
        empty_wake(loop);
        return;
    }
    if (event->data.ptr == &loop->acceptor) {
        (void)loop->acceptor.accept(loop->acceptor.context);
        return;
    }
    connection->may_read = true;
    dispatch(loop, connection, connection_run(connection, HTTP_LOOP));
}

static void empty_wake(struct loop *loop)
{
    uint64_t count = 0;

    (void)!read(loop->wake_fd, &count, sizeof(count));
    loop->is_woken = true;
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
        drain(loop);
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

/* Runs each connection that is ready now once; those that become ready meanwhile come next time. */
static void run_ready(struct loop *loop)
{
    struct list_node taken;

    list_init(&taken);
    list_append_all(&taken, &loop->ready);
    while (!list_is_empty(&taken)) {
        struct connection *connection = connection_of(taken.next);

        dispatch(loop, connection, connection_run(connection, HTTP_LOOP));
    }
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
        poller_arm(&loop->poller, &connection->socket, 0);
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

static void rest(struct loop *loop, struct connection *connection, uint32_t events)
{
    list_remove(&connection->node);
    list_append(&loop->resting, &connection->node);
    poller_arm(&loop->poller, &connection->socket, events);
}

/* Until the next sweep, which then comes soon. */
static void park(struct loop *loop, struct connection *connection)
{
    connection->is_parked = true;
    pace_hurry(&loop->pace, clock_monotonic_ms(loop->world->config->clock));
    rest(loop, connection, 0);
}

static void run_on_worker(struct job *job)
{
    struct connection *connection = (struct connection *)job; /* its first member */
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

void loop_wake(struct loop *loop)
{
    const uint64_t one = 1;

    (void)!write(loop->wake_fd, &one, sizeof(one));
}

/* Looks at all deadlines, some times a second. Simple, and cheap: some ns a connection. */
static void sweep(struct loop *loop)
{
    const int64_t now_ms = clock_monotonic_ms(loop->world->config->clock);
    struct list_node checked;

    if (!pace_is_due(&loop->pace, now_ms)) {
        return;
    }
    if (loop->is_paused) {
        set_accepting(loop, true);
    }
    list_init(&checked);
    list_append_all(&checked, &loop->resting);
    while (!list_is_empty(&checked)) {
        struct connection *connection = connection_of(checked.next);
        const enum connection_want want = connection->is_parked
                                              ? connection_unpark(connection)
                                              : connection_expire(connection, now_ms);

        list_remove(&connection->node);
        list_append(&loop->resting, &connection->node);
        if (want != WANT_NEXT) {
            dispatch(loop, connection, want);
        }
    }
}

static void drain(struct loop *loop)
{
    struct list_node checked;

    list_init(&checked);
    list_append_all(&checked, &loop->resting);
    while (!list_is_empty(&checked)) {
        struct connection *connection = connection_of(checked.next);

        list_remove(&connection->node);
        list_append(&loop->resting, &connection->node);
        if (connection_drain(connection)) {
            close_connection(connection);
        }
    }
}

static void close_connection(struct connection *connection)
{
    list_remove(&connection->node);
    connection_abort(connection);
    connection_free(connection); /* closing the socket takes it out of epoll */
}

void loop_end_accepting(struct loop *loop)
{
    atomic_store(&loop->ends_accepting, true);
    loop_wake(loop);
}

void loop_pause_accepting(struct loop *loop)
{
    set_accepting(loop, false);
}

static void set_accepting(struct loop *loop, bool is_accepting)
{
    struct epoll_event event = {.events = is_accepting ? EPOLLIN : 0, .data.ptr = &loop->acceptor};

    (void)epoll_ctl(loop->poller.epoll_fd, EPOLL_CTL_MOD, loop->acceptor.fd, &event);
    loop->is_paused = !is_accepting;
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

static void abort_all(struct list_node *list)
{
    while (!list_is_empty(list)) {
        close_connection(connection_of(list->next));
    }
}

void loop_free(struct loop *loop)
{
    if (!loop) {
        return;
    }
    abort_all(&loop->inbox);
    poller_release(&loop->poller);
    (void)close(loop->wake_fd);
    (void)pthread_mutex_destroy(&loop->inbox_mutex);
    free(loop);
}

static struct connection *connection_of(struct list_node *node)
{
    return (struct connection *)(void *)((char *)node - offsetof(struct connection, node));
}
