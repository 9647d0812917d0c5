#include "http/server.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "http/connection.h"
#include "http/listener.h"
#include "http/loop.h"
#include "http/tls.h"

enum {
    ACCEPTS_PER_TURN = 64,
    DRAIN_POLL_MS = 5,
    /* Connections beyond a limit get a 503, up to a fraction and a few; then the queue holds them,
       or, if they are one address's, they are closed. */
    SURPLUS_FRACTION = 8,
    SURPLUS_FEW = 16,
    /* Of one address, unless the limits say: whole companies come from one. */
    SHARE_FRACTION = 4,
    SHARE_MIN = 64,
};

struct http_server {
    struct http_server_config config;
    struct connection_world world;
    struct tls *tls; /* NULL: plain */
    int listen_fd;
    atomic_bool has_ended_accepting;
    struct loop **loops;
    unsigned next_loop; /* whose turn it is to get a connection */
};

/* One address never has all that there is, as long as there is more than one. */
static unsigned usual_share_of(unsigned connections)
{
    const unsigned half = connections > 1 ? connections / 2 : 1;
    const unsigned usual =
        connections / SHARE_FRACTION > SHARE_MIN ? connections / SHARE_FRACTION : SHARE_MIN;

    return usual < half ? usual : half;
}

static unsigned with_surplus(unsigned limit)
{
    return limit + limit / SURPLUS_FRACTION + SURPLUS_FEW;
}

static bool speaks_for_others(const struct http_server *server, struct str address)
{
    const struct http_application *application = &server->config.application;

    return application->is_proxy && application->is_proxy(application->context, address);
}

static void server_take(struct http_server *server, int fd, const struct sockaddr_storage *address)
{
    const struct http_limits *limits = &server->config.limits;
    const unsigned open_now = atomic_load(&server->world.connections);
    char peer[INET6_ADDRSTRLEN] = "unknown";
    struct address_share *share = NULL;
    struct connection *connection = NULL;
    unsigned count = 0;
    bool is_proxy = false;

    (void)getnameinfo((const struct sockaddr *)address, sizeof(*address), peer, sizeof(peer), NULL,
                      0, NI_NUMERICHOST);
    is_proxy = speaks_for_others(server, str_from(peer));
    if (!is_proxy) {
        share = address_shares_take(server->world.shares, str_from(peer), &count);
    }
    if (count > with_surplus(limits->connections_per_address)) {
        (void)close(fd);
    } else {
        connection = connection_new(&server->world, server->tls, fd, peer);
    }
    if (!connection) {
        address_shares_give_back(server->world.shares, share);
        return;
    }
    connection->is_proxy = is_proxy;
    connection->share = share;
    connection->is_surplus =
        open_now >= limits->connections || count > limits->connections_per_address;
    loop_give(server->loops[server->next_loop++ % limits->loops], connection);
}

/* False if there is nobody to accept, or nothing to accept them with. */
static bool accept_one(struct http_server *server)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof(address);
    const int fd = accept4(server->listen_fd, (struct sockaddr *)&address, &length,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0) {
        if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
            loop_set_accepting(server->loops[0], false); /* out of descriptors or memory */
        }
        return false;
    }
    server_take(server, fd, &address);
    return true;
}

static bool accept_some(void *context)
{
    struct http_server *server = context;
    const unsigned hard_limit = with_surplus(server->config.limits.connections);

    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        if (atomic_load(&server->world.connections) >= hard_limit) {
            loop_set_accepting(server->loops[0], false);
            return false;
        }
        if (!accept_one(server)) {
            return false;
        }
    }
    return true;
}

static void end_accepting(void *context)
{
    struct http_server *server = context;

    (void)close(server->listen_fd);
    server->listen_fd = -1;
    atomic_store(&server->has_ended_accepting, true);
}

static enum error_code server_set_up(struct http_server *server, struct error *err)
{
    const struct http_server_config *config = &server->config;
    struct loop_acceptor acceptor = {
        .accept = accept_some, .end = end_accepting, .context = server};
    enum error_code code = OK;

    if (config->tls.certificate) {
        code = tls_new(&config->tls, config->clock, &server->tls, err);
    }
    if (!code) {
        code = listener_open(config->listen, &server->listen_fd, err);
    }
    for (unsigned i = 0; i < config->limits.loops && !code; i++) {
        acceptor.fd = i == 0 ? server->listen_fd : -1;
        code = loop_new(&server->world, &acceptor, &server->loops[i], err);
    }
    return code;
}

enum error_code http_server_new(const struct http_server_config *config,
                                struct http_server **server_out, struct error *err)
{
    struct http_server *server = memory_new(1, sizeof(*server));
    enum error_code code = OK;

    server->config = *config;
    if (config->limits.connections_per_address == 0) {
        server->config.limits.connections_per_address = usual_share_of(config->limits.connections);
    }
    server->world.config = &server->config;
    server->listen_fd = -1;
    server->world.shares = address_shares_new(config->limits.connections);
    server->loops = memory_new(config->limits.loops, sizeof(struct loop *));
    code = server_set_up(server, err);
    if (code) {
        http_server_free(server);
        return code;
    }
    *server_out = server;
    return OK;
}

enum error_code http_server_start(struct http_server *server, struct error *err)
{
    const struct http_limits *limits = &server->config.limits;
    const unsigned counts[HTTP_THREADS] = {
        [HTTP_WORKER] = limits->workers,
        [HTTP_WAITER] = limits->waiters,
        [HTTP_HASHER] = limits->hashers,
        [HTTP_CARRIER] = limits->carriers,
    };
    static const char *const names[HTTP_THREADS] = {
        [HTTP_WORKER] = "worker",
        [HTTP_WAITER] = "waiter",
        [HTTP_HASHER] = "hasher",
        [HTTP_CARRIER] = "carrier",
    };
    enum error_code code = OK;

    for (int thread = HTTP_WORKER; thread < HTTP_THREADS && !code; thread++) {
        code = workers_new(counts[thread], names[thread], server->config.metrics,
                           &server->world.pools[thread], err);
    }
    /* The loop that accepts comes last: then all others are there to be given connections. */
    for (unsigned i = limits->loops; i > 0 && !code; i--) {
        code = loop_start(server->loops[i - 1], err);
    }
    return code;
}

unsigned http_server_port(const struct http_server *server)
{
    return listener_port(server->listen_fd);
}

enum error_code http_server_reload(struct http_server *server, struct error *err)
{
    return server->tls ? tls_reload(server->tls, err) : OK;
}

bool http_server_is_draining(const struct http_server *server)
{
    return atomic_load(&server->world.is_draining);
}

static void wake_all(struct http_server *server)
{
    for (unsigned i = 0; i < server->config.limits.loops; i++) {
        loop_wake(server->loops[i]);
    }
}

/* Until all connections are closed, or their time is up. */
static void await_connections(struct http_server *server)
{
    const struct clock *clock = server->config.clock;
    const int64_t deadline_ms = clock_monotonic_ms(clock) + server->config.limits.drain_timeout_ms;

    while (!atomic_load(&server->has_ended_accepting) ||
           atomic_load(&server->world.connections) > 0) {
        if (clock_monotonic_ms(clock) >= deadline_ms) {
            return;
        }
        clock_pause(DRAIN_POLL_MS);
    }
}

void http_server_drain(struct http_server *server)
{
    atomic_store(&server->world.is_draining, true);
    wake_all(server);
    clock_pause(server->config.limits.drain_delay_ms); /* a second signal cuts it short */
    loop_end_accepting(server->loops[0]);
    await_connections(server);
}

void http_server_free(struct http_server *server)
{
    const unsigned loops = server ? server->config.limits.loops : 0;

    if (!server) {
        return;
    }
    atomic_store(&server->world.is_draining, true);
    atomic_store(&server->world.is_stopping, true);
    for (unsigned i = 0; i < loops; i++) {
        loop_stop(server->loops[i]);
    }
    for (int thread = HTTP_THREADS - 1; thread > HTTP_LOOP; thread--) {
        workers_free(server->world.pools[thread]);
    }
    for (unsigned i = 0; i < loops; i++) {
        loop_free(server->loops[i]);
    }
    assert(atomic_load(&server->world.connections) == 0);
    address_shares_free(server->world.shares);
    if (server->listen_fd >= 0) {
        (void)close(server->listen_fd);
    }
    tls_free(server->tls);
    free(server->loops);
    free(server);
}
