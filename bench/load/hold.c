#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "crew.h"
#include "kinds.h"

/* Some bytes a second, above what servers take for a stall; spread, as a crowd's would be. */
enum {
    TICKS_PER_SECOND = 200,
    SLOW_BYTES = 4096,
    SLOW_UPLOAD_BYTES = 1024 * 1024 * 1024,
    RECEIVE_BUFFER_BYTES = 16 * 1024,
};

struct holder {
    const struct options *options;
    struct client client; /* whose buffer all share */
    int *uploads;
    int *downloads;
    int *idle;
    struct recorder recorder;
};

static int *open_all(struct holder *holder, unsigned count, int (*open_one)(struct holder *holder));
static int open_idle(struct holder *holder);
static int open_upload(struct holder *holder);
static int open_download(struct holder *holder);
static int taken(struct holder *holder, bool is_open);
static bool is_input_open(void);
static void tick(struct holder *holder, unsigned number);

void load_hold(const struct options *options)
{
    struct holder holder = {.options = options, .client = {.fd = -1, .port = options->port}};
    struct secure *secure = options->tls ? secure_new() : NULL;
    const int64_t begin_us = clock_elapsed_us();

    holder.client.secure = secure;
    holder.idle = open_all(&holder, options->idle, open_idle);
    holder.downloads = open_all(&holder, options->downloads, open_download);
    holder.uploads = open_all(&holder, options->uploads, open_upload);
    recorder_print(&holder.recorder, clock_elapsed_us() - begin_us);
    for (unsigned number = 0; is_input_open(); number++) {
        tick(&holder, number);
    }
    /* The descriptors are closed by the end of the program. */
    free(holder.idle);
    free(holder.downloads);
    free(holder.uploads);
    recorder_release(&holder.recorder);
    secure_free(secure);
}

static int *open_all(struct holder *holder, unsigned count, int (*open_one)(struct holder *holder))
{
    int *fds = memory_new(count + 1, sizeof(*fds));

    for (unsigned i = 0; i < count; i++) {
        const int64_t begin_us = clock_elapsed_us();

        fds[i] = open_one(holder);
        if (fds[i] < 0) {
            holder->recorder.failed++;
        } else {
            recorder_add(&holder->recorder, clock_elapsed_us() - begin_us);
        }
    }
    return fds;
}

/* One that has been used, and could be again. */
static int open_idle(struct holder *holder)
{
    struct client_answer answer;
    const bool is_open =
        client_ask(&holder->client, &(struct client_request){.method = "GET", .path = "/v2/"},
                   &answer) &&
        answer.status == 200;

    return taken(holder, is_open);
}

/* An upload whose bytes never end. */
static int open_upload(struct holder *holder)
{
    struct client_answer answer;
    char path[CLIENT_PATH_BYTES];
    bool is_open;

    (void)snprintf(path, sizeof(path), "/v2/%s/blobs/uploads/", holder->options->repository);
    is_open = client_ask(&holder->client, &(struct client_request){.method = "POST", .path = path},
                         &answer) &&
              answer.status == 202;
    memcpy(path, answer.location, sizeof(answer.location));
    is_open = is_open &&
              client_send_request(&holder->client, &(struct client_request){
                                                       .method = "PATCH",
                                                       .path = path,
                                                       .content_type = "application/octet-stream",
                                                       .more_bytes = SLOW_UPLOAD_BYTES,
                                                   });
    return taken(holder, is_open);
}

/* A download whose client hardly reads. */
static int open_download(struct holder *holder)
{
    const int receive_bytes = RECEIVE_BUFFER_BYTES;
    bool is_open = client_open(&holder->client, holder->options->port);

    (void)setsockopt(holder->client.fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes,
                     sizeof(receive_bytes));
    is_open = is_open && client_send_request(&holder->client, &(struct client_request){
                                                                  .method = "GET",
                                                                  .path = holder->options->paths[0],
                                                              });
    return taken(holder, is_open);
}

/*
 * The client's connection, which is not the client's any more. It ends with a reset: thousands that
 * linger (TIME_WAIT) for a minute cost others a millisecond.
 */
static int taken(struct holder *holder, bool is_open)
{
    const struct linger none = {.l_onoff = 1};
    const int fd = holder->client.fd;

    if (!is_open) {
        client_close(&holder->client);
        return -1;
    }
    holder->client.fd = -1;
    secure_close(holder->client.session); /* idle: nothing more is said on it */
    holder->client.session = NULL;
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* Waits one tick for bench/run to say that it is over. */
static bool is_input_open(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

    return poll(&input, 1, 1000 / TICKS_PER_SECOND) == 0;
}

/* Each connection moves once a second: some of them now. */
static void tick(struct holder *holder, unsigned number)
{
    static const char bytes[SLOW_BYTES];
    const struct options *options = holder->options;

    for (unsigned i = number % TICKS_PER_SECOND; i < options->uploads; i += TICKS_PER_SECOND) {
        (void)!send(holder->uploads[i], bytes, sizeof(bytes), MSG_NOSIGNAL);
    }
    for (unsigned i = number % TICKS_PER_SECOND; i < options->downloads; i += TICKS_PER_SECOND) {
        (void)!recv(holder->downloads[i], NULL, SLOW_BYTES, MSG_TRUNC);
    }
}
