#include "http/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"

enum { HOST_MAX_BYTES = 256, PORT_MAX_BYTES = 6, BACKLOG = 4096 };

struct host_and_port {
    char host[HOST_MAX_BYTES];
    char port[PORT_MAX_BYTES];
};

static bool listener_copy_text(struct str text, char *out, size_t capacity)
{
    if (text.length >= capacity) {
        return false;
    }
    memcpy(out, text.bytes, text.length);
    out[text.length] = '\0';
    return true;
}

static bool listener_split(struct str address, struct host_and_port *parts_out)
{
    const size_t colon = str_last_index_of(address, ':');
    struct str host = str_slice(address, 0, colon);
    const struct str port = str_from_index(address, colon + 1);
    uint64_t number = 0;

    if (host.length >= 2 && host.bytes[0] == '[' && host.bytes[host.length - 1] == ']') {
        host = str_slice(host, 1, host.length - 1);
    } else if (str_index_of(host, ':') < host.length) {
        return false;
    }
    return colon < address.length && str_parse_uint64(port, &number) && number <= UINT16_MAX &&
           listener_copy_text(host, parts_out->host, sizeof(parts_out->host)) &&
           listener_copy_text(port, parts_out->port, sizeof(parts_out->port));
}

/* A listening socket, or -1 with errno. */
static int listen_at(const struct addrinfo *place)
{
    const int yes = 1;
    const int fd = socket(place->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(fd, place->ai_addr, place->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
        const int number = errno;

        (void)close(fd);
        errno = number;
        return -1;
    }
    return fd;
}

enum error_code listener_open(const char *address, int *fd_out, struct error *err)
{
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    struct host_and_port parts;
    struct addrinfo *places = NULL;
    int fd = -1;
    int failure = 0;

    if (!listener_split(str_from(address), &parts)) {
        return error_set(err, ERROR_INVALID,
                         "'%s' is no address to listen on: give HOST:PORT or [IPV6]:PORT", address);
    }
    failure = getaddrinfo(parts.host[0] == '\0' ? NULL : parts.host, parts.port, &hints, &places);
    if (failure != 0) {
        return error_set(err, ERROR_INVALID, "cannot listen on %s: %s", address,
                         gai_strerror(failure));
    }
    for (const struct addrinfo *place = places; place && fd < 0; place = place->ai_next) {
        fd = listen_at(place);
    }
    freeaddrinfo(places);
    if (fd < 0) {
        return error_set(
            err, ERROR_INVALID, "cannot listen on %s: %s%s", address, strerrordesc_np(errno),
            errno == EADDRINUSE ? "; end the server that uses it, or choose another" : "");
    }
    *fd_out = fd;
    return OK;
}

unsigned listener_port(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof(address);
    char port[PORT_MAX_BYTES];
    uint64_t number = 0;

    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0 ||
        getnameinfo((struct sockaddr *)&address, length, NULL, 0, port, sizeof(port),
                    NI_NUMERICSERV) != 0 ||
        !str_parse_uint64(str_from(port), &number)) {
        return 0;
    }
    return (unsigned)number;
}
