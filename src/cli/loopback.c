#include "cli/loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/strbuf.h"

enum { BACKLOG = 8, READ_WAIT_MS = 2000, PAGE_MAX_BYTES = 1024 };

static const struct {
    const char *status;
    const char *text;
} pages[] = {
    [LOOPBACK_FOREIGN] = {"400 Bad Request",
                          "This is not the login that the terminal waits for. Go on in the window "
                          "that it has opened, or at the address that it shows."},
    [LOOPBACK_DONE] = {"200 OK", "The terminal has what it needs: you can close this window and go "
                                 "on there."},
    [LOOPBACK_REFUSED] = {"403 Forbidden", "You are not logged in. The terminal says why: you can "
                                           "close this window and go on there."},
};

enum error_code loopback_open(uint16_t port, struct loopback *loopback_out, struct error *err)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t length = sizeof(address);
    const int on = 1;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0) {
        return error_set_errno(err, "cannot await the browser");
    }
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC); /* else the browser holds the port as long as it runs */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (const struct sockaddr *)&address, length) < 0 || listen(fd, BACKLOG) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
        const char *const why = strerror(errno);

        (void)close(fd);
        return error_set(err, ERROR_INVALID,
                         "cannot await the browser on 127.0.0.1:%u: %s; use `--device`",
                         (unsigned)port, why);
    }
    *loopback_out = (struct loopback){fd, ntohs(address.sin_port)};
    return OK;
}

/* The first line is all that matters. */
static bool read_head(int fd, int64_t deadline_ms, struct strbuf *head)
{
    char chunk[1024];

    while (str_index_of(strbuf_str(head), '\n') == head->length && !head->is_truncated) {
        const int64_t left_ms = deadline_ms - clock_monotonic_ms(&clock_system);
        struct pollfd event = {.fd = fd, .events = POLLIN};
        ssize_t got = 0;

        if (left_ms <= 0 || poll(&event, 1, (int)left_ms) <= 0) {
            return false;
        }
        got = recv(fd, chunk, sizeof(chunk), 0);
        if (got <= 0) {
            return false;
        }
        strbuf_append(head, (struct str){chunk, (size_t)got});
    }
    return !head->is_truncated;
}

static bool find_query(struct str head, struct str *query_out)
{
    static const char begin[] = "GET /callback?";
    struct str line = str_slice(head, 0, str_index_of(head, '\n'));

    if (!str_starts_with(line, begin)) {
        return false;
    }
    line = str_from_index(line, sizeof(begin) - 1);
    *query_out = str_slice(line, 0, str_index_of(line, ' '));
    return true;
}

static void send_all(int fd, struct str rest)
{
    while (rest.length > 0) {
        const ssize_t sent = send(fd, rest.bytes, rest.length, 0);

        if (sent <= 0) {
            return;
        }
        rest = str_from_index(rest, (size_t)sent);
    }
    (void)shutdown(fd, SHUT_WR);
}

static void answer(int fd, const char *status, const char *text)
{
    struct strbuf page;
    struct strbuf whole;

    strbuf_init(&page, PAGE_MAX_BYTES);
    strbuf_init(&whole, PAGE_MAX_BYTES);
    strbuf_append_format(
        &page, "<!DOCTYPE html><html lang=\"en\"><title>Pier One</title><p>%s</p>\n", text);
    strbuf_append_format(&whole,
                         "HTTP/1.1 %s\r\nContent-Type: text/html; charset=utf-8\r\n"
                         "Connection: close\r\nCache-Control: no-store\r\n"
                         "Content-Length: %zu\r\n\r\n%s",
                         status, page.length, page.text);
    send_all(fd, strbuf_str(&whole));
    strbuf_release(&page);
    strbuf_release(&whole);
}

/* Whether it was the request that is awaited. */
static bool serve(int fd, int64_t deadline_ms, const struct loopback_judge *judge)
{
    const int64_t usual_ms = clock_monotonic_ms(&clock_system) + READ_WAIT_MS;
    enum loopback_verdict verdict = LOOPBACK_FOREIGN;
    struct strbuf head;
    struct str query;

    strbuf_init_secret(&head, LOOPBACK_REQUEST_MAX_BYTES);
    if (read_head(fd, usual_ms < deadline_ms ? usual_ms : deadline_ms, &head) &&
        find_query(strbuf_str(&head), &query)) {
        verdict = judge->judge(judge->context, query);
        answer(fd, pages[verdict].status, pages[verdict].text);
    } else {
        answer(fd, "404 Not Found", "There is nothing here.");
    }
    strbuf_release(&head);
    return verdict != LOOPBACK_FOREIGN;
}

enum error_code loopback_await(struct loopback *loopback, int64_t timeout_ms,
                               const struct loopback_judge *judge, struct error *err)
{
    const int64_t deadline_ms = clock_monotonic_ms(&clock_system) + timeout_ms;
    bool is_done = false;

    (void)signal(SIGPIPE, SIG_IGN); /* a browser may be gone before it has its page */
    while (!is_done) {
        const int64_t left_ms = deadline_ms - clock_monotonic_ms(&clock_system);
        struct pollfd event = {.fd = loopback->fd, .events = POLLIN};
        int fd = -1;

        if (left_ms <= 0 || poll(&event, 1, (int)left_ms) == 0) {
            return error_set(err, ERROR_UNAUTHENTICATED,
                             "nobody has logged in: run `pierone login` again");
        }
        fd = accept(loopback->fd, NULL, NULL);
        if (fd >= 0) {
            is_done = serve(fd, deadline_ms, judge);
            (void)close(fd);
        }
    }
    return OK;
}

void loopback_close(struct loopback *loopback)
{
    (void)close(loopback->fd);
}
