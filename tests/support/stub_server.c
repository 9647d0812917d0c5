#include "tests/support/stub_server.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/str.h"
#include "base/strbuf.h"

const char stub_server_hang[] = "hang";

struct stub_server {
    const char *const *answers;
    int fd;
    char url[64];
    pthread_t thread;
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t is_ending_cond;
    bool is_ending;
    int count;
    int connection; /* that is served now; -1: none */
    char request[STUB_REQUEST_BYTES];
    struct strbuf heads; /* of all requests, one behind the other */
};

static void *serve(void *argument);
static void serve_connection(struct stub_server *server, int fd);
static bool read_request(struct stub_server *server, int fd);
static size_t head_length(const char *request);
static size_t length_of(const char *request);
static bool answer(struct stub_server *server, int fd);

struct stub_server *stub_server_new(const char *const *answers)
{
    struct stub_server *server = memory_new(1, sizeof(*server));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);

    server->answers = answers;
    server->connection = -1;
    strbuf_init(&server->heads, STUB_HEADS_BYTES);
    (void)pthread_mutex_init(&server->mutex, NULL);
    (void)pthread_cond_init(&server->is_ending_cond, NULL);
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(server->fd, 16) < 0 ||
        getsockname(server->fd, (struct sockaddr *)&address, &length) < 0 ||
        pthread_create(&server->thread, NULL, serve, server) != 0) {
        abort();
    }
    (void)snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%u",
                   ntohs(address.sin_port));
    return server;
}

static void *serve(void *argument)
{
    struct stub_server *server = argument;
    int fd = -1;

    while ((fd = accept(server->fd, NULL, NULL)) >= 0) {
        (void)pthread_mutex_lock(&server->mutex);
        server->connection = server->is_ending ? -1 : fd;
        (void)pthread_mutex_unlock(&server->mutex);
        serve_connection(server, fd);
        (void)pthread_mutex_lock(&server->mutex);
        server->connection = -1;
        (void)pthread_mutex_unlock(&server->mutex);
        (void)close(fd);
    }
    return NULL;
}

static void serve_connection(struct stub_server *server, int fd)
{
    while (read_request(server, fd) && answer(server, fd)) {
    }
}

/* Keeps as much of it as there is room for, and reads all. */
static bool read_request(struct stub_server *server, int fd)
{
    char *bytes = memory_new(STUB_REQUEST_BYTES, 1);
    char *const rest = memory_new(STUB_REQUEST_BYTES, 1);
    size_t kept = 0;
    size_t length = 0;
    ssize_t got = 0;

    do {
        const size_t room = STUB_REQUEST_BYTES - 1 - kept;

        got = recv(fd, room > 0 ? bytes + kept : rest, room > 0 ? room : STUB_REQUEST_BYTES, 0);
        kept += got > 0 && room > 0 ? (size_t)got : 0;
        length += got > 0 ? (size_t)got : 0;
    } while (got > 0 && (length_of(bytes) == 0 || length < length_of(bytes)));
    free(rest);
    if (got > 0) {
        (void)pthread_mutex_lock(&server->mutex);
        server->count++;
        memcpy(server->request, bytes, kept + 1);
        strbuf_append(&server->heads, str_slice(str_from(bytes), 0, head_length(bytes)));
        (void)pthread_mutex_unlock(&server->mutex);
    }
    free(bytes);
    return got > 0;
}

static size_t head_length(const char *request)
{
    const char *const end = strstr(request, "\r\n\r\n");

    return end ? (size_t)(end - request) + 4 : 0;
}

/* Of head and body together; 0: the head is not complete. */
static size_t length_of(const char *request)
{
    static const char field[] = "Content-Length: ";
    const char *const end = strstr(request, "\r\n\r\n");
    const char *const found = strstr(request, field);
    uint64_t length = 0;

    if (!end) {
        return 0;
    }
    if (found && found < end) {
        const struct str value = str_from(found + sizeof(field) - 1);

        (void)!str_parse_uint64(str_slice(value, 0, str_index_of(value, '\r')), &length);
    }
    return (size_t)(end - request) + 4 + (size_t)length;
}

/* False: nothing more on this connection, as behind an answer that ends in its head. */
static bool answer(struct stub_server *server, int fd)
{
    const char *text = NULL;
    size_t index = 0;

    (void)pthread_mutex_lock(&server->mutex);
    while (index + 1 < (size_t)server->count && server->answers[index + 1]) {
        index++;
    }
    text = server->answers[index];
    while (text == stub_server_hang && !server->is_ending) {
        (void)pthread_cond_wait(&server->is_ending_cond, &server->mutex);
    }
    (void)pthread_mutex_unlock(&server->mutex);
    return text != stub_server_hang && text[0] != '\0' &&
           send(fd, text, strlen(text), MSG_NOSIGNAL) > 0 && strstr(text, "\r\n\r\n") &&
           !strstr(text, "Connection: close");
}

void stub_server_free(struct stub_server *server)
{
    (void)pthread_mutex_lock(&server->mutex);
    server->is_ending = true;
    if (server->connection >= 0) {
        (void)shutdown(server->connection, SHUT_RDWR);
    }
    (void)pthread_cond_broadcast(&server->is_ending_cond);
    (void)pthread_mutex_unlock(&server->mutex);
    (void)shutdown(server->fd, SHUT_RDWR);
    (void)pthread_join(server->thread, NULL);
    (void)close(server->fd);
    (void)pthread_cond_destroy(&server->is_ending_cond);
    (void)pthread_mutex_destroy(&server->mutex);
    strbuf_release(&server->heads);
    free(server);
}

const char *stub_server_url(const struct stub_server *server)
{
    return server->url;
}

int stub_server_count(struct stub_server *server)
{
    int count = 0;

    (void)pthread_mutex_lock(&server->mutex);
    count = server->count;
    (void)pthread_mutex_unlock(&server->mutex);
    return count;
}

const char *stub_server_request(struct stub_server *server)
{
    return server->request;
}

const char *stub_server_heads(const struct stub_server *server)
{
    return server->heads.text;
}
