#include "tests/support/cutting_proxy.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"

enum { PAIRS_MAX = 32, PIECE_BYTES = 64 * 1024, TICK_MS = 20 };

struct pair {
    int client; /* -1: none */
    int server;
    bool is_cut; /* with the server's next answer */
};

struct cutting_proxy {
    pthread_t thread;
    int listener;
    struct sockaddr_un server;
    _Atomic(const char *) text; /* NULL: nothing is cut */
    atomic_bool is_ending;
    struct pair pairs[PAIRS_MAX]; /* the thread's */
};

static struct sockaddr_un address_in(const char *folder)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/.s.PGSQL.5432", folder);
    return address;
}

static void close_pair(struct pair *pair)
{
    if (pair->client >= 0) {
        (void)close(pair->client);
        (void)close(pair->server);
    }
    pair->client = -1;
}

static void accept_one(struct cutting_proxy *proxy)
{
    struct pair *pair = proxy->pairs;

    while (pair->client >= 0) {
        pair++;
        assert(pair < proxy->pairs + PAIRS_MAX);
    }
    *pair = (struct pair){.client = accept(proxy->listener, NULL, NULL),
                          .server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (connect(pair->server, (struct sockaddr *)&proxy->server, sizeof(proxy->server)) < 0) {
        close_pair(pair);
    }
}

static bool send_all(int socket, const char *bytes, ssize_t length)
{
    while (length > 0) {
        const ssize_t sent = send(socket, bytes, (size_t)length, MSG_NOSIGNAL);

        if (sent < 0) {
            return false;
        }
        bytes += sent;
        length -= sent;
    }
    return true;
}

/* Of one side to the other. */
static void pass_on(struct cutting_proxy *proxy, struct pair *pair, bool is_client)
{
    static char piece[PIECE_BYTES];
    const char *text = atomic_load(&proxy->text);
    const ssize_t length = recv(is_client ? pair->client : pair->server, piece, sizeof(piece), 0);

    if (length <= 0 || (!is_client && pair->is_cut)) {
        close_pair(pair);
        return;
    }
    if (is_client && text && memmem(piece, (size_t)length, text, strlen(text))) {
        atomic_store(&proxy->text, NULL);
        pair->is_cut = true;
    }
    if (!send_all(is_client ? pair->server : pair->client, piece, length)) {
        close_pair(pair);
    }
}

enum { SOCKETS = 1 + 2 * PAIRS_MAX };

/* The listener, and both sides of each pair. */
static void list_sockets(const struct cutting_proxy *proxy, struct pollfd sockets_out[SOCKETS])
{
    sockets_out[0] = (struct pollfd){.fd = proxy->listener, .events = POLLIN};
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        const struct pair *pair = &proxy->pairs[i];
        const bool is_open = pair->client >= 0;

        sockets_out[1 + 2 * i] =
            (struct pollfd){.fd = is_open ? pair->client : -1, .events = POLLIN};
        sockets_out[2 + 2 * i] =
            (struct pollfd){.fd = is_open ? pair->server : -1, .events = POLLIN};
    }
}

static void *run(void *argument)
{
    struct cutting_proxy *proxy = argument;

    while (!atomic_load(&proxy->is_ending)) {
        struct pollfd sockets[SOCKETS];

        list_sockets(proxy, sockets);
        (void)poll(sockets, SOCKETS, TICK_MS);
        for (size_t i = 1; i < SOCKETS; i++) {
            struct pair *pair = &proxy->pairs[(i - 1) / 2];

            if (sockets[i].revents && pair->client >= 0) {
                pass_on(proxy, pair, i % 2 == 1);
            }
        }
        if (sockets[0].revents) {
            accept_one(proxy);
        }
    }
    return NULL;
}

struct cutting_proxy *cutting_proxy_new(const char *server_folder, const char *folder)
{
    struct cutting_proxy *proxy = memory_new(1, sizeof(*proxy));
    const struct sockaddr_un own = address_in(folder);

    proxy->server = address_in(server_folder);
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        proxy->pairs[i].client = -1;
    }
    proxy->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(bind(proxy->listener, (const struct sockaddr *)&own, sizeof(own)) == 0);
    assert(listen(proxy->listener, PAIRS_MAX) == 0);
    assert(pthread_create(&proxy->thread, NULL, run, proxy) == 0);
    return proxy;
}

void cutting_proxy_free(struct cutting_proxy *proxy)
{
    if (proxy) {
        atomic_store(&proxy->is_ending, true);
        (void)pthread_join(proxy->thread, NULL);
        for (size_t i = 0; i < PAIRS_MAX; i++) {
            close_pair(&proxy->pairs[i]);
        }
        (void)close(proxy->listener);
        free(proxy);
    }
}

void cutting_proxy_cut_behind(struct cutting_proxy *proxy, const char *text)
{
    atomic_store(&proxy->text, text);
}
