#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEAD_MAX_BYTES = 4096,
    HEAD_TAIL_BYTES = 64,
    STATUS_OFFSET = 9,
    STATUS_BYTES = 3,
    NO_CONTENT = 204
};

static bool shake_hands(struct client *client);
static bool has_body(const char *method);
static bool send_plain(const struct client *client, struct str bytes);
static bool receive_head(struct client *client, size_t *length_out, size_t *head_bytes_out);
static size_t receive_some(struct client *client, size_t length);
static bool drop_body(struct client *client, uint64_t bytes);
static bool drop_plain_body(const struct client *client, uint64_t bytes);
static void set_location(struct client_answer *answer, struct str value);

bool client_open(struct client *client, unsigned port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const int yes = 1;

    client->port = port;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0) {
        return false;
    }
    (void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    if (connect(client->fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        !shake_hands(client)) {
        client_close(client);
        return false;
    }
    return true;
}

static bool shake_hands(struct client *client)
{
    if (client->secure) {
        client->session = secure_open(client->secure, client->fd, client->before);
    }
    return !client->secure || client->session;
}

void client_close(struct client *client)
{
    secure_close(client->session);
    client->session = NULL;
    if (client->fd >= 0) {
        (void)close(client->fd);
        client->fd = -1;
    }
}

bool client_send_request(struct client *client, const struct client_request *request)
{
    char head[HEAD_MAX_BYTES];
    const char *type = request->content_type;
    const unsigned long long length = request->body.length + request->more_bytes;
    int head_bytes = snprintf(head, sizeof(head),
                              "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: bench\r\n"
                              "Accept: " CLIENT_ACCEPT "\r\n%s%s%s",
                              request->method, request->path, client->port,
                              type ? "Content-Type: " : "", type ? type : "", type ? "\r\n" : "");

    if (head_bytes < 0 || (size_t)head_bytes + HEAD_TAIL_BYTES > sizeof(head)) {
        return false;
    }
    head_bytes += has_body(request->method) ? snprintf(head + head_bytes, HEAD_TAIL_BYTES,
                                                       "Content-Length: %llu\r\n\r\n", length)
                                            : snprintf(head + head_bytes, HEAD_TAIL_BYTES, "\r\n");
    return client_send(client, (struct str){head, (size_t)head_bytes}) &&
           client_send(client, request->body);
}

static bool has_body(const char *method)
{
    return strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0;
}

bool client_send(struct client *client, struct str bytes)
{
    return client->session ? secure_send(client->session, bytes) : send_plain(client, bytes);
}

static bool send_plain(const struct client *client, struct str bytes)
{
    while (bytes.length > 0) {
        const ssize_t sent = send(client->fd, bytes.bytes, bytes.length, MSG_NOSIGNAL);

        if (sent < 0 && errno != EINTR) {
            return false;
        }
        bytes = str_from_index(bytes, sent < 0 ? 0 : (size_t)sent);
    }
    return true;
}

bool client_receive(struct client *client, bool is_head, struct client_answer *answer_out)
{
    size_t length = 0;
    size_t head_bytes = 0;

    if (!receive_head(client, &length, &head_bytes) ||
        !client_parse_head((struct str){client->buffer, head_bytes}, is_head, answer_out)) {
        return false;
    }
    /* What comes behind the body was not asked for. */
    return length - head_bytes <= answer_out->body_bytes &&
           drop_body(client, answer_out->body_bytes - (length - head_bytes));
}

static bool receive_head(struct client *client, size_t *length_out, size_t *head_bytes_out)
{
    const char *end = NULL;
    size_t length = 0;

    while (!end && length < sizeof(client->buffer)) {
        const size_t got = receive_some(client, length);

        if (got == 0) {
            return false;
        }
        length += got;
        end = memmem(client->buffer, length, "\r\n\r\n", 4);
    }
    if (!end) {
        return false;
    }
    *length_out = length;
    *head_bytes_out = (size_t)(end - client->buffer) + 4;
    return true;
}

/* Behind the first `length` bytes of the buffer. 0: no more comes. */
static size_t receive_some(struct client *client, size_t length)
{
    char *end = client->buffer + length;
    const size_t room = sizeof(client->buffer) - length;
    ssize_t got = 0;

    if (client->session) {
        return secure_receive(client->session, end, room);
    }
    got = recv(client->fd, end, room, 0);
    return got > 0 ? (size_t)got : 0;
}

/* What is encrypted has to be read: the buffer's bytes are not needed any more. */
static bool drop_body(struct client *client, uint64_t bytes)
{
    if (!client->session) {
        return drop_plain_body(client, bytes);
    }
    while (bytes > 0) {
        const size_t room = sizeof(client->buffer);
        const size_t got =
            secure_receive(client->session, client->buffer, bytes < room ? (size_t)bytes : room);

        if (got == 0) {
            return false;
        }
        bytes -= got;
    }
    return true;
}

/* MSG_TRUNC: the kernel drops the bytes (tcp(7)). A generator that copied them would take the CPU
 * that the server needs. */
static bool drop_plain_body(const struct client *client, uint64_t bytes)
{
    while (bytes > 0) {
        const size_t most = bytes < (1U << 30) ? (size_t)bytes : 1U << 30;
        const ssize_t got = recv(client->fd, NULL, most, MSG_TRUNC);

        if (got <= 0) {
            return false;
        }
        bytes -= (uint64_t)got;
    }
    return true;
}

bool client_ask(struct client *client, const struct client_request *request,
                struct client_answer *answer_out)
{
    const bool is_head = strcmp(request->method, "HEAD") == 0;

    if (client->fd < 0 && !client_open(client, client->port)) {
        return false;
    }
    if (!client_send_request(client, request) || !client_receive(client, is_head, answer_out)) {
        client_close(client);
        return false;
    }
    return true;
}

bool client_parse_head(struct str head, bool is_head, struct client_answer *answer_out)
{
    struct client_answer answer = {.status = 0};
    struct str line;
    uint64_t status = 0;
    bool has_length = false;

    if (!str_starts_with(head, "HTTP/1.1 ") ||
        !str_parse_uint64(str_slice(head, STATUS_OFFSET, STATUS_OFFSET + STATUS_BYTES), &status)) {
        return false;
    }
    answer.status = (int)status;
    while (str_cut(&head, '\n', &line)) {
        struct str name;

        line = str_slice(line, 0, str_index_of(line, '\r'));
        if (!str_cut(&line, ':', &name)) {
            continue;
        }
        if (str_is_ignoring_case(name, "Content-Length")) {
            has_length = str_parse_uint64(str_trim(line), &answer.body_bytes);
        } else if (str_is_ignoring_case(name, "Location")) {
            set_location(&answer, str_trim(line));
        }
    }
    if (is_head || status == NO_CONTENT) {
        answer.body_bytes = 0;
        has_length = true;
    }
    *answer_out = answer;
    return has_length;
}

/* Of an absolute URL only what stands behind the authority. */
static void set_location(struct client_answer *answer, struct str value)
{
    if (str_starts_with(value, "http://") || str_starts_with(value, "https://")) {
        value = str_from_index(value, str_index_of(value, '/') + 2);
        value = str_from_index(value, str_index_of(value, '/'));
    }
    (void)snprintf(answer->location, sizeof(answer->location), "%.*s", STR_FORMAT(value));
}
