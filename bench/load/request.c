#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/memory.h"
#include "crew.h"
#include "kinds.h"

enum { EVENTS = 64, REQUEST_BYTES = 1024, WAIT_MS = 1000 };

/* A connection that asks again as soon as it has its answer. */
struct asker {
    struct client client;
    size_t length;      /* of what has arrived of this answer's head */
    uint64_t body_left; /* once the head is complete */
    bool is_in_body;
    int64_t begin_us;
};

static void request(struct crew_member *member);
static struct asker *open_askers(struct crew_member *member, int epoll_fd, size_t count);
static void turn(struct crew_member *member, int epoll_fd);
static void advance(struct crew_member *member, struct asker *asker);
static bool receive(struct crew_member *member, struct asker *asker);
static bool receive_body(struct asker *asker);
static bool receive_head(struct crew_member *member, struct asker *asker);
static void ask(struct crew_member *member, struct asker *asker);

void load_request(const struct options *options)
{
    crew_run(options, options->threads, &(struct crew_work){.work = request});
}

static void request(struct crew_member *member)
{
    const struct options *options = member->options;
    const int64_t end_us = member->begin_us + (int64_t)options->seconds * 1000000;
    const int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    const size_t count = options->connections / options->threads;
    struct asker *askers = open_askers(member, epoll_fd, count);

    while (clock_elapsed_us() < end_us) {
        turn(member, epoll_fd);
    }
    for (size_t i = 0; i < count; i++) {
        client_close(&askers[i].client);
    }
    free(askers);
    member->client.fd = epoll_fd; /* closed with it */
}

static struct asker *open_askers(struct crew_member *member, int epoll_fd, size_t count)
{
    struct asker *askers = memory_new(count, sizeof(*askers));

    for (size_t i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &askers[i]};

        if (!client_open(&askers[i].client, member->options->port) ||
            fcntl(askers[i].client.fd, F_SETFL, O_NONBLOCK) != 0 ||
            epoll_ctl(epoll_fd, EPOLL_CTL_ADD, askers[i].client.fd, &event) != 0) {
            fail("cannot connect: %s", strerrordesc_np(errno));
        }
        ask(member, &askers[i]);
    }
    return askers;
}

static void turn(struct crew_member *member, int epoll_fd)
{
    struct epoll_event events[EVENTS];
    const int count = epoll_wait(epoll_fd, events, EVENTS, WAIT_MS);

    for (int i = 0; i < count; i++) {
        advance(member, events[i].data.ptr);
    }
}

static void advance(struct crew_member *member, struct asker *asker)
{
    if (!receive(member, asker)) {
        fail("an answer broke off");
    }
    if (asker->is_in_body && asker->body_left == 0) {
        recorder_add(&member->recorder, clock_elapsed_us() - asker->begin_us);
        ask(member, asker);
    }
}

static bool receive(struct crew_member *member, struct asker *asker)
{
    return asker->is_in_body ? receive_body(asker) : receive_head(member, asker);
}

static bool receive_body(struct asker *asker)
{
    const ssize_t got = recv(asker->client.fd, NULL, (size_t)asker->body_left, MSG_TRUNC);

    if (got <= 0) {
        return got < 0 && errno == EAGAIN;
    }
    asker->body_left -= (uint64_t)got;
    return true;
}

static bool receive_head(struct crew_member *member, struct asker *asker)
{
    char *buffer = asker->client.buffer;
    const ssize_t got = recv(asker->client.fd, buffer + asker->length,
                             sizeof(asker->client.buffer) - asker->length, 0);
    struct client_answer answer;
    const char *end;
    size_t behind;

    if (got <= 0) {
        return got < 0 && errno == EAGAIN;
    }
    asker->length += (size_t)got;
    end = memmem(buffer, asker->length, "\r\n\r\n", 4);
    if (!end) {
        return asker->length < sizeof(asker->client.buffer);
    }
    behind = asker->length - (size_t)(end + 4 - buffer);
    if (!client_parse_head((struct str){buffer, asker->length - behind},
                           strcmp(member->options->method, "HEAD") == 0, &answer) ||
        behind > answer.body_bytes) {
        return false;
    }
    member->recorder.failed += answer.status != 200;
    member->recorder.bytes += answer.body_bytes;
    asker->is_in_body = true;
    asker->body_left = answer.body_bytes - behind;
    return true;
}

/* A request is so short that a socket which has nothing else to send always takes it whole. */
static void ask(struct crew_member *member, struct asker *asker)
{
    const struct options *options = member->options;
    char text[REQUEST_BYTES];
    const int length =
        snprintf(text, sizeof(text),
                 "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: " CLIENT_ACCEPT "\r\n\r\n",
                 options->method, options->paths[0], options->port);

    asker->length = 0;
    asker->is_in_body = false;
    asker->begin_us = clock_elapsed_us();
    if (length < 0 || (size_t)length >= sizeof(text) ||
        send(asker->client.fd, text, (size_t)length, MSG_NOSIGNAL) != length) {
        fail("cannot send a request");
    }
}
