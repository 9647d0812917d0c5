/*
 * The HTTP server on real sockets of the loopback interface, with an application made for the
 * purpose. Covers what connection.c, loop.c, listener.c, workers.c and server.c do together.
 */
#include "http/server.h"

#include <arpa/inet.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/fake_clock.h"

enum {
    ANSWER_BYTES = 4 * 1024 * 1024,
    LETTERS = 40,
    LETTERS_BYTES = 10000,
    BIG_FILE_BYTES = 3 * 1024 * 1024
};

/* What the application counts, to see that each exchange is begun and finished exactly once. */
struct counts {
    atomic_int begun;
    atomic_int finished;
    atomic_int unsent;
    atomic_int finished_blocking;
    atomic_int rooms; /* how often it was asked for room */
    atomic_int ends;  /* how often a queued body was at its end */
    atomic_int left;  /* how many connections have given back what they kept */
};

struct fixture {
    struct counts counts;
    struct fake_clock clock;
    struct log log;
    struct http_server *server;
    sem_t is_released; /* what /waits waits for */
    int file_fd;
    char *answer; /* room for ANSWER_BYTES */
};

/* What is remembered of a request between its calls. */
struct seen {
    uint64_t body_bytes;
    unsigned char sum;
    bool has_hashed;
};

static bool path_is(const struct http_exchange *exchange, const char *path)
{
    return str_is(exchange->request.path, path);
}

static enum http_step answer_text(struct http_exchange *exchange, int status, const char *text)
{
    exchange->response.status = status;
    exchange->response.body = str_from(text);
    return HTTP_RESPOND;
}

/* A body from elsewhere: pieces of one letter each, fewer than are promised. */
struct letters {
    struct http_source base;
    uint64_t pieces;
};

static bool read_letters(struct http_source *base, uint64_t offset_bytes, uint64_t left_bytes,
                         struct strbuf *piece)
{
    const struct letters *letters = (struct letters *)base;
    const uint64_t number = offset_bytes / LETTERS_BYTES;

    for (uint64_t i = 0; i < LETTERS_BYTES && i < left_bytes && number < letters->pieces; i++) {
        strbuf_append_byte(piece, (char)('a' + (char)(number % 26)));
    }
    return piece->length > 0;
}

static void free_letters(struct http_source *base)
{
    free(base);
}

static enum http_step answer_letters(struct http_exchange *exchange, uint64_t pieces)
{
    struct letters *letters = calloc(1, sizeof(*letters));

    letters->base = (struct http_source){read_letters, free_letters};
    letters->pieces = pieces;
    exchange->response.status = 200;
    exchange->response.source = &letters->base;
    exchange->response.file_length_bytes = (uint64_t)LETTERS * LETTERS_BYTES;
    return HTTP_RESPOND;
}

static enum http_step move_to(struct http_exchange *exchange, enum http_thread thread)
{
    exchange->needed = thread;
    return HTTP_MOVE;
}

/* HTTP_RESPOND: here is as good as anywhere. */
static enum http_step find_place(struct fixture *fixture, struct http_exchange *exchange)
{
    const bool waits = path_is(exchange, "/waits");

    if (path_is(exchange, "/hashes") && exchange->thread == HTTP_LOOP) {
        return move_to(exchange, HTTP_HASHER);
    }
    if (path_is(exchange, "/hashes") && exchange->thread == HTTP_HASHER) {
        return move_to(exchange, HTTP_WORKER);
    }
    if (waits && exchange->thread == HTTP_LOOP) {
        return move_to(exchange, HTTP_WAITER);
    }
    if (waits && exchange->thread == HTTP_WAITER) {
        (void)sem_wait(&fixture->is_released);
    }
    if ((path_is(exchange, "/blocks") || waits) && exchange->thread != HTTP_WORKER) {
        return move_to(exchange, HTTP_WORKER);
    }
    return str_starts_with(exchange->request.path, "/carried") && exchange->thread != HTTP_CARRIER
               ? move_to(exchange, HTTP_CARRIER)
               : HTTP_RESPOND;
}

/* The session counts the requests of its connection. */
static enum http_step answer_counted(struct http_exchange *exchange)
{
    int *count = exchange->session ? exchange->session : calloc(1, sizeof(*count));

    exchange->session = count;
    return answer_text(exchange, 200, arena_format(&exchange->arena, "number %d here", ++*count));
}

static enum http_step answer_path(struct fixture *fixture, struct http_exchange *exchange)
{
    if (path_is(exchange, "/counted")) {
        return answer_counted(exchange);
    }
    if (path_is(exchange, "/file")) {
        exchange->response.status = 200;
        exchange->response.file_fd = dup(fixture->file_fd);
        exchange->response.file_length_bytes = BIG_FILE_BYTES;
        return HTTP_RESPOND;
    }
    if (path_is(exchange, "/blocks") || path_is(exchange, "/waits") ||
        path_is(exchange, "/hashes")) {
        return answer_text(exchange, 200, "from a worker");
    }
    return path_is(exchange, "/") ? answer_text(exchange, 200, "hello")
                                  : answer_text(exchange, 404, "nothing here");
}

static enum http_step app_begin(void *context, struct http_exchange *exchange)
{
    struct fixture *fixture = context;
    const enum http_step place = find_place(fixture, exchange);

    if (place != HTTP_RESPOND) {
        return place;
    }
    (void)atomic_fetch_add(&fixture->counts.begun, 1);
    exchange->call = calloc(1, sizeof(struct seen));
    if (path_is(exchange, "/carried-waits")) {
        (void)sem_wait(&fixture->is_released);
    }
    if (path_is(exchange, "/carried") || path_is(exchange, "/carried-cut")) {
        return answer_letters(exchange, path_is(exchange, "/carried") ? LETTERS : 2);
    }
    if (path_is(exchange, "/hurried")) {
        exchange->body_until_ms = clock_monotonic_ms(&fixture->clock.clock) + 1000;
        return HTTP_BODY;
    }
    if (path_is(exchange, "/parked") || path_is(exchange, "/queued") ||
        path_is(exchange, "/wanders") || path_is(exchange, "/echo") ||
        path_is(exchange, "/stop-early")) {
        return HTTP_BODY;
    }
    return answer_path(fixture, exchange);
}

static enum http_step app_data(void *context, struct http_exchange *exchange, struct str bytes)
{
    struct seen *seen = exchange->call;

    (void)context;
    assert_true(bytes.length > 0);
    assert_true(!path_is(exchange, "/parked") || bytes.length <= 1000);
    if (path_is(exchange, "/stop-early")) {
        return answer_text(exchange, 413, "enough");
    }
    seen->body_bytes += bytes.length;
    for (size_t i = 0; i < bytes.length; i++) {
        seen->sum = (unsigned char)(seen->sum + (unsigned char)bytes.bytes[i]);
    }
    return HTTP_BODY;
}

/* A body for /parked is told to wait, now and then. */
static size_t app_room(void *context, struct http_exchange *exchange)
{
    struct fixture *fixture = context;

    if (!path_is(exchange, "/parked")) {
        return SIZE_MAX;
    }
    return atomic_fetch_add(&fixture->counts.rooms, 1) % 3 == 0 ? 0 : 1000;
}

/* Of a body for /queued the end comes later, some times. */
static enum http_step app_end(void *context, struct http_exchange *exchange)
{
    struct seen *seen = exchange->call;
    struct fixture *fixture = context;

    if (path_is(exchange, "/wanders") && !seen->has_hashed) {
        seen->has_hashed = exchange->thread == HTTP_HASHER;
        return move_to(exchange, seen->has_hashed ? HTTP_WAITER : HTTP_HASHER);
    }
    assert_true(!path_is(exchange, "/wanders") || exchange->thread == HTTP_WAITER);

    if (path_is(exchange, "/queued") && atomic_fetch_add(&fixture->counts.ends, 1) % 3 < 2) {
        return HTTP_LATER;
    }
    return answer_text(exchange, 200,
                       arena_format(&exchange->arena, "%llu bytes, sum %u",
                                    (unsigned long long)seen->body_bytes, (unsigned)seen->sum));
}

static void app_refuse(void *context, struct http_exchange *exchange,
                       const struct http_refusal *refusal)
{
    struct fixture *fixture = context;

    if (!exchange->call) {
        (void)atomic_fetch_add(&fixture->counts.begun, 1);
    }
    (void)answer_text(exchange, refusal->status, refusal->message);
}

static void app_finish(void *context, struct http_exchange *exchange, bool is_sent)
{
    struct fixture *fixture = context;

    free(exchange->call);
    (void)atomic_fetch_add(&fixture->counts.unsent, is_sent ? 0 : 1);
    (void)atomic_fetch_add(&fixture->counts.finished_blocking,
                           exchange->thread != HTTP_LOOP ? 1 : 0);
    (void)atomic_fetch_add(&fixture->counts.finished, 1);
}

static void app_leave(void *context, void *session)
{
    struct fixture *fixture = context;

    free(session);
    (void)atomic_fetch_add(&fixture->counts.left, 1);
}

static const struct http_limits usual_limits = {
    .connections = 100,
    .connections_per_address = 100,
    .loops = 2,
    .workers = 3,
    .waiters = 2,
    .hashers = 1,
    .carriers = 2,
    .head_bytes = 65536,
    .headers = 100,
    .arena_bytes = 65536,
    .head_timeout_ms = 10000,
    .idle_timeout_ms = 80000,
    .stall_timeout_ms = 5000,
    .body_rate_bytes_per_second = 100,
    .drain_delay_ms = 0,
    .drain_timeout_ms = 5000,
    .discard_bytes = 1024 * 1024,
};

static void start(struct fixture *fixture, const struct http_limits *limits)
{
    const struct http_server_config config = {
        .listen = "127.0.0.1:0",
        .limits = *limits,
        .application = {.context = fixture,
                        .begin = app_begin,
                        .data = app_data,
                        .room = app_room,
                        .end = app_end,
                        .refuse = app_refuse,
                        .finish = app_finish,
                        .leave = app_leave},
        .log = &fixture->log,
        .clock = &fixture->clock.clock,
    };
    struct error err = {0};

    assert_int_equal(http_server_new(&config, &fixture->server, &err), OK);
    assert_int_equal(http_server_start(fixture->server, &err), OK);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    char path[] = "/tmp/pierone-test-file-XXXXXX";

    (void)sem_init(&fixture->is_released, 0, 0);
    fake_clock_init(&fixture->clock);
    log_init(&fixture->log, STDERR_FILENO, LOG_TEXT, LOG_ERROR, &fixture->clock.clock);
    fixture->answer = malloc(ANSWER_BYTES);
    memset(fixture->answer, 'x', BIG_FILE_BYTES);
    fixture->file_fd = mkstemp(path);
    (void)unlink(path);
    assert_int_equal(write(fixture->file_fd, fixture->answer, BIG_FILE_BYTES), BIG_FILE_BYTES);
    *state = fixture;
    return 0;
}

/* However a test went: every exchange that was begun was finished, once. */
static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    http_server_free(fixture->server);
    assert_int_equal(atomic_load(&fixture->counts.begun), atomic_load(&fixture->counts.finished));
    (void)sem_destroy(&fixture->is_released);
    (void)close(fixture->file_fd);
    free(fixture->answer);
    free(fixture);
    return 0;
}

static int dial(const struct fixture *fixture)
{
    const struct timeval patience = {.tv_sec = 20};
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)http_server_port(fixture->server)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void say_bytes(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        const ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);

        assert_true(sent > 0);
        bytes += sent;
        length -= (size_t)sent;
    }
}

static void say(int fd, const char *text)
{
    say_bytes(fd, text, strlen(text));
}

/* Everything until the server closes, as text. Fails if it does not within the socket's patience.
 */
static size_t hear_all(struct fixture *fixture, int fd)
{
    size_t length = 0;
    ssize_t got = 0;

    do {
        got = recv(fd, fixture->answer + length, ANSWER_BYTES - 1 - length, 0);
        assert_true(got >= 0);
        length += (size_t)got;
    } while (got > 0);
    fixture->answer[length] = '\0';
    return length;
}

/* Until the text has been heard. */
static void hear_until(struct fixture *fixture, int fd, const char *text)
{
    size_t length = 0;

    fixture->answer[0] = '\0';
    while (!strstr(fixture->answer, text)) {
        const ssize_t got = recv(fd, fixture->answer + length, ANSWER_BYTES - 1 - length, 0);

        assert_true(got > 0);
        length += (size_t)got;
        fixture->answer[length] = '\0';
    }
}

/* A chunked body of three bytes, and then a request as often as that. */
static int write_many(char *out, const char *request, int count)
{
    int length = snprintf(out, 32, "3\r\nabc\r\n0\r\n\r\n");

    for (int i = 0; i < count; i++) {
        length += snprintf(out + length, strlen(request) + 1, "%s", request);
    }
    return length;
}

static int count_of(const char *text, const char *part)
{
    int count = 0;

    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}

/* Sends bytes, hears everything until the connection is closed. */
static void talk(struct fixture *fixture, const char *text)
{
    const int fd = dial(fixture);

    say(fd, text);
    (void)hear_all(fixture, fd);
    (void)close(fd);
}

static void a_request_is_answered_from_the_loop(void **state)
{
    struct fixture *fixture = *state;

    start(fixture, &usual_limits);
    talk(fixture, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(fixture->answer, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(fixture->answer, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(fixture->answer, "\r\n\r\nhello"));
}

static void a_request_that_blocks_is_answered_by_a_worker(void **state)
{
    struct fixture *fixture = *state;

    start(fixture, &usual_limits);
    talk(fixture, "GET /blocks HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(fixture->answer, "\r\n\r\nfrom a worker"));
    assert_int_equal(atomic_load(&fixture->counts.begun), 1);
}

static void a_connection_keeps_what_its_requests_leave(void **state)
{
    struct fixture *fixture = *state;

    start(fixture, &usual_limits);
    for (int i = 0; i < 2; i++) { /* each connection has its own */
        talk(fixture, "GET /counted HTTP/1.1\r\nHost: x\r\n\r\n"
                      "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
                      "GET /counted HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert_non_null(strstr(fixture->answer, "number 1 here"));
        assert_non_null(strstr(fixture->answer, "number 2 here"));
    }
    talk(fixture, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); /* leaves nothing */
    http_server_free(fixture->server);
    fixture->server = NULL;
    assert_int_equal(atomic_load(&fixture->counts.left), 2);
}

static void requests_that_wait_for_others_hold_up_nobody_else(void **state)
{
    struct fixture *fixture = *state;
    int fds[6];

    start(fixture, &usual_limits);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = dial(fixture);
        say(fds[i], "GET /waits HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    }
    talk(fixture, "GET /blocks HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(fixture->answer, "\r\n\r\nfrom a worker"));
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        (void)sem_post(&fixture->is_released);
    }
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        (void)hear_all(fixture, fds[i]);
        assert_non_null(strstr(fixture->answer, "\r\n\r\nfrom a worker"));
        (void)close(fds[i]);
    }
}

static void a_body_from_elsewhere_comes_whole_and_the_connection_goes_on(void **state)
{
    struct fixture *fixture = *state;
    const char *body = NULL;

    start(fixture, &usual_limits);
    talk(fixture, "GET /carried HTTP/1.1\r\nHost: x\r\n\r\n"
                  "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    body = strstr(fixture->answer, "\r\n\r\n") + 4;
    for (size_t i = 0; i < (size_t)LETTERS * LETTERS_BYTES; i++) {
        assert_int_equal(body[i], 'a' + (int)(i / LETTERS_BYTES % 26));
    }
    assert_true(
        str_starts_with(str_from(body + (size_t)LETTERS * LETTERS_BYTES), "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(body, "\r\n\r\nhello"));
}

static void a_body_from_elsewhere_that_ends_early_breaks_off(void **state)
{
    struct fixture *fixture = *state;

    start(fixture, &usual_limits);
    talk(fixture, "GET /carried-cut HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(strlen(strstr(fixture->answer, "\r\n\r\n") + 4), 2 * LETTERS_BYTES);
    assert_int_equal(atomic_load(&fixture->counts.unsent), 1);
}

static void what_is_carried_holds_up_nobody_else(void **state)
{
    struct fixture *fixture = *state;
    int fds[6];

    start(fixture, &usual_limits);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = dial(fixture);
        say(fds[i], "GET /carried-waits HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    }
    talk(fixture, "GET /blocks HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(fixture->answer, "\r\n\r\nfrom a worker"));
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        (void)sem_post(&fixture->is_released);
    }
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        (void)hear_all(fixture, fds[i]);
        (void)close(fds[i]);
    }
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct fixture *fixture = *state;

    start(fixture, &usual_limits);
    talk(fixture, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
                  "GET /blocks HTTP/1.1\r\nHost: x\r\n\r\n"
                  "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
                  "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
                  "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"
                  "GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_int_equal(count_of(fixture->answer, "HTTP/1.1 "), 6);
    assert_int_equal(count_of(fixture->answer, "3 bytes, sum 38"), 2);
    assert_true(strstr(fixture->answer, "hello") < strstr(fixture->answer, "from a worker"));
    assert_true(strstr(fixture->answer, "from a worker") < strstr(fixture->answer, "3 bytes"));
    assert_non_null(strstr(fixture->answer, "\r\n\r\nnothing here"));
}

static void many_pipelined_requests_take_turns_and_are_all_answered(void **state)
{
    struct fixture *fixture = *state;
    const int fd = (start(fixture, &usual_limits), dial(fixture));

    for (int i = 0; i < 500; i++) {
        say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    say(fd, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    (void)hear_all(fixture, fd);
    assert_int_equal(count_of(fixture->answer, "HTTP/1.1 200"), 501);
    (void)close(fd);
}

static void a_head_may_come_byte_by_byte(void **state)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    struct fixture *fixture = *state;
    const int fd = (start(fixture, &usual_limits), dial(fixture));

    for (size_t i = 0; i < sizeof(request) - 1; i++) {
        say_bytes(fd, request + i, 1);
    }
    (void)hear_all(fixture, fd);
    assert_non_null(strstr(fixture->answer, "hello"));
    (void)close(fd);
}

static void a_large_body_streams_through(void **state)
{
    struct fixture *fixture = *state;
    const int fd = (start(fixture, &usual_limits), dial(fixture));

    say(fd,
        "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3145728\r\n\r\n");
    say_bytes(fd, fixture->answer, BIG_FILE_BYTES);
    (void)hear_all(fixture, fd);
    assert_non_null(strstr(fixture->answer, "3145728 bytes, sum 0"));
    (void)close(fd);
}

static void what_follows_a_large_chunked_body_is_the_next_request(void **state)
{
    struct fixture *fixture = *state;
    const int fd = (start(fixture, &usual_limits), dial(fixture));

    say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n300000\r\n");
    say_bytes(fd, fixture->answer, BIG_FILE_BYTES);
    say(fd, "\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    (void)hear_all(fixture, fd);
    assert_non_null(strstr(fixture->answer, "3145728 bytes, sum 0"));
    assert_non_null(strstr(fixture->answer, "hello"));
    (void)close(fd);
}

/* So many that they do not fit behind the head that is being answered, and must not move it. */
static void many_requests_behind_a_chunked_body_are_kept_for_later(void **state)
{
    static const char request[] = "GET /blocks HTTP/1.1\r\nHost: x\r\n\r\n";
    struct fixture *fixture = *state;
    const int fd = (start(fixture, &usual_limits), dial(fixture));
    char *many = malloc(1001 * sizeof(request));
    size_t length = 0;

    length = (size_t)write_many(many, request, 1000);
    say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            "Expect: 100-continue\r\n\r\n");
    hear_until(fixture, fd, "100 Continue");
    say_bytes(fd, many, length);
    free(many);
    say(fd, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    (void)hear_all(fixture, fd);
    assert_non_null(strstr(fixture->answer, "3 bytes, sum 38"));
    assert_int_equal(count_of(fixture->answer, "from a worker"), 1000);
    assert_non_null(strstr(fixture->answer, "hello"));
    (void)close(fd);
}

static void a_file_leaves_whole(void **state)
{
    struct fixture *fixture = *state;
    const int fd = (start(fixture, &usual_limits), dial(fixture));
    const char *body = NULL;
    size_t length = 0;

    say(fd, "GET /file HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    length = hear_all(fixture, fd);
    body = strstr(fixture->answer, "\r\n\r\n") + 4;
    assert_int_equal(length - (size_t)(body - fixture->answer), BIG_FILE_BYTES);
    assert_int_equal(strspn(body, "x"), BIG_FILE_BYTES);
    (void)close(fd);
}

static void continue_is_said_once_the_body_is_wanted(void **state)
{
    struct fixture *fixture = *state;
    const int fd = (start(fixture, &usual_limits), dial(fixture));

    say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n"
            "Connection: close\r\n\r\n");
    hear_until(fixture, fd, "HTTP/1.1 100 Continue\r\n\r\n");
    say(fd, "abc");
    (void)hear_all(fixture, fd);
    assert_non_null(strstr(fixture->answer, "3 bytes"));
    (void)close(fd);
}

static void continue_is_not_said_to_a_refused_request(void **state)
{
    struct fixture *fixture = *state;

    start(fixture, &usual_limits);
    talk(fixture, "POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                  "Expect: 100-continue\r\n\r\n");
    assert_null(strstr(fixture->answer, "100 Continue"));
    assert_int_equal(count_of(fixture->answer, "HTTP/1.1 "), 1);
    assert_non_null(strstr(fixture->answer, "HTTP/1.1 404"));
}

static void an_answer_in_the_middle_of_a_body_arrives_and_closes(void **state)
{
    struct fixture *fixture = *state;
    const int fd = (start(fixture, &usual_limits), dial(fixture));

    say(fd, "POST /stop-early HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
    say_bytes(fd, fixture->answer, 500000);
    (void)hear_all(fixture, fd);
    assert_non_null(strstr(fixture->answer, "HTTP/1.1 413"));
    assert_int_equal(count_of(fixture->answer, "HTTP/1.1 "), 1);
    (void)close(fd);
}

/* The body has arrived to its end, together with what follows: nothing of that may be lost. */
static void a_body_that_is_refused_at_its_end_is_not_taken_for_the_next_request(void **state)
{
    struct fixture *fixture = *state;
    const int fd = (start(fixture, &usual_limits), dial(fixture));

    say(fd, "POST /stop-early HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            "Expect: 100-continue\r\n\r\n");
    hear_until(fixture, fd, "HTTP/1.1 100 Continue\r\n\r\n");
    say(fd, "3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    (void)hear_all(fixture, fd);
    assert_non_null(strstr(fixture->answer, "HTTP/1.1 413"));
    assert_non_null(strstr(fixture->answer, "hello"));
    (void)close(fd);
}

static void a_refused_head_is_answered_once_and_closed(void **state)
{
    struct fixture *fixture = *state;

    start(fixture, &usual_limits);
    talk(fixture,
         "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"
         "\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(count_of(fixture->answer, "HTTP/1.1 "), 1);
    assert_non_null(strstr(fixture->answer, "HTTP/1.1 400"));
}

static void a_broken_chunk_is_answered_once_and_closed(void **state)
{
    struct fixture *fixture = *state;

    start(fixture, &usual_limits);
    talk(fixture, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "zz\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(count_of(fixture->answer, "HTTP/1.1 "), 1);
    assert_non_null(strstr(fixture->answer, "HTTP/1.1 400"));
}

static void await_finished(struct fixture *fixture, int count)
{
    const struct timespec moment = {.tv_nsec = 1000000};

    for (int i = 0; i < 20000 && atomic_load(&fixture->counts.finished) < count; i++) {
        (void)nanosleep(&moment, NULL);
    }
    assert_int_equal(atomic_load(&fixture->counts.finished), count);
}

static void a_client_that_vanishes_in_a_body_is_finished_on_a_worker(void **state)
{
    struct fixture *fixture = *state;
    const int fd = (start(fixture, &usual_limits), dial(fixture));

    say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc");
    (void)close(fd);
    await_finished(fixture, 1);
    assert_int_equal(atomic_load(&fixture->counts.unsent), 1);
    assert_int_equal(atomic_load(&fixture->counts.finished_blocking), 1);
}

/* Turns the clock until the server closes the connection. */
static void pass_time_until_closed(struct fixture *fixture, int fd, int64_t step_ms)
{
    const struct timeval moment = {.tv_usec = 20000};
    ssize_t got = -1;
    size_t length = 0;

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof(moment));
    for (int i = 0; i < 1000 && got != 0; i++) {
        fake_clock_advance(&fixture->clock, step_ms);
        got = recv(fd, fixture->answer + length, ANSWER_BYTES - 1 - length, 0);
        length += got > 0 ? (size_t)got : 0;
    }
    assert_int_equal(got, 0);
    fixture->answer[length] = '\0';
}

/* However long that takes: what waits for us is not held against the client. */
static void a_body_waits_until_there_is_room_for_it(void **state)
{
    static const char body[3000] = {0};
    struct fixture *fixture = *state;
    int fd = -1;

    start(fixture, &usual_limits);
    fd = dial(fixture);
    say(fd, "POST /parked HTTP/1.1\r\nHost: x\r\nContent-Length: 3000\r\n"
            "Connection: close\r\n\r\n");
    say_bytes(fd, body, sizeof(body));
    pass_time_until_closed(fixture, fd, 30);
    assert_non_null(strstr(fixture->answer, "3000 bytes, sum 0"));
    (void)close(fd);
}

/* Also with its bytes in one piece with the head, and with a request right behind. */
static void an_end_that_has_to_queue_is_tried_again(void **state)
{
    struct fixture *fixture = *state;
    int fd = -1;

    start(fixture, &usual_limits);
    fd = dial(fixture);
    say(fd, "POST /queued HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n\1\1\1\1"
            "POST /queued HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            "Connection: close\r\n\r\n3\r\n\1\1\1\r\n0\r\n\r\n");
    pass_time_until_closed(fixture, fd, 30);
    assert_non_null(strstr(fixture->answer, "4 bytes, sum 4"));
    assert_non_null(strstr(fixture->answer, "3 bytes, sum 3"));
    assert_int_equal(atomic_load(&fixture->counts.ends), 6);
    (void)close(fd);
}

static void a_slow_head_is_answered_408(void **state)
{
    struct fixture *fixture = *state;
    const int fd = (start(fixture, &usual_limits), dial(fixture));

    say(fd, "GET / HTTP/1.1\r\nHost: x\r\n");
    pass_time_until_closed(fixture, fd, 1000);
    assert_non_null(strstr(fixture->answer, "HTTP/1.1 408"));
    (void)close(fd);
}

static void a_silent_connection_is_closed_without_an_answer(void **state)
{
    struct fixture *fixture = *state;
    const int fd = (start(fixture, &usual_limits), dial(fixture));

    pass_time_until_closed(fixture, fd, 5000);
    assert_int_equal(strlen(fixture->answer), 0);
    (void)close(fd);
}

static void a_body_that_stalls_is_answered_408(void **state)
{
    struct fixture *fixture = *state;
    const int fd = (start(fixture, &usual_limits), dial(fixture));

    say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc");
    pass_time_until_closed(fixture, fd, 1000);
    assert_non_null(strstr(fixture->answer, "HTTP/1.1 408"));
    assert_int_equal(count_of(fixture->answer, "HTTP/1.1 "), 1);
    (void)close(fd);
}

static void a_body_that_is_to_be_there_sooner_is_answered_408(void **state)
{
    struct http_limits limits = usual_limits;
    struct fixture *fixture = *state;
    int fd = -1;

    limits.stall_timeout_ms = INT64_C(3600) * 1000; /* never comes */
    start(fixture, &limits);
    fd = dial(fixture);
    say(fd, "POST /hurried HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc");
    pass_time_until_closed(fixture, fd, 100);
    assert_non_null(strstr(fixture->answer, "HTTP/1.1 408"));
    (void)close(fd);
}

static void a_client_that_does_not_read_is_dropped(void **state)
{
    struct fixture *fixture = *state;
    const int fd = (start(fixture, &usual_limits), dial(fixture));
    const struct timespec moment = {.tv_nsec = 20000000};

    for (int i = 0; i < 10; i++) {
        say(fd, "GET /file HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    for (int i = 0; i < 1000 && atomic_load(&fixture->counts.unsent) == 0; i++) {
        fake_clock_advance(&fixture->clock, 1000);
        (void)nanosleep(&moment, NULL);
    }
    assert_int_equal(atomic_load(&fixture->counts.unsent), 1);
    (void)close(fd);
}

static void connections_beyond_the_limit_get_503(void **state)
{
    struct fixture *fixture = *state;
    struct http_limits limits = usual_limits;
    int first = -1;

    limits.connections = 1;
    limits.connections_per_address = 1;
    start(fixture, &limits);
    first = dial(fixture);
    say(first, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    hear_until(fixture, first, "hello");
    talk(fixture, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_non_null(strstr(fixture->answer, "HTTP/1.1 503"));
    say(first, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    hear_until(fixture, first, "hello");
    (void)close(first);
}

static void what_takes_a_hash_goes_on_elsewhere_when_that_is_done(void **state)
{
    struct fixture *fixture = *state;

    start(fixture, &usual_limits);
    talk(fixture, "GET /hashes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(fixture->answer, "\r\n\r\nfrom a worker"));
    talk(fixture, "POST /wanders HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                  "Content-Length: 4\r\n\r\n\1\1\1\1");
    assert_non_null(strstr(fixture->answer, "4 bytes, sum 4"));
}

static void draining_closes_the_idle_and_serves_the_queued(void **state)
{
    struct fixture *fixture = *state;
    const int idle = (start(fixture, &usual_limits), dial(fixture));
    int queued = -1;

    say(idle, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    hear_until(fixture, idle, "hello");
    queued = dial(fixture);
    say(queued, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    http_server_drain(fixture->server);
    assert_true(http_server_is_draining(fixture->server));
    assert_int_equal(hear_all(fixture, idle), 0);
    (void)hear_all(fixture, queued);
    assert_non_null(strstr(fixture->answer, "hello"));
    (void)close(idle);
    (void)close(queued);
}

/* In one batch of events the loop hears that it drains, and that connections hang up. */
static void draining_while_clients_hang_up_is_safe(void **state)
{
    enum { CLIENTS = 60 };
    struct fixture *fixture = *state;
    int fds[CLIENTS];

    start(fixture, &usual_limits);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = dial(fixture);
        say(fds[i], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        hear_until(fixture, fds[i], "hello");
    }
    for (int i = 0; i < CLIENTS; i++) {
        say(fds[i], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        (void)close(fds[i]);
    }
    http_server_drain(fixture->server);
}

static void freeing_ends_what_is_under_way(void **state)
{
    struct fixture *fixture = *state;
    const int fd = (start(fixture, &usual_limits), dial(fixture));

    say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
    hear_until(fixture, fd, "100 Continue");
    http_server_free(fixture->server);
    fixture->server = NULL;
    assert_int_equal(atomic_load(&fixture->counts.unsent), 1);
    (void)close(fd);
}

static void an_address_that_cannot_be_used_is_an_error(void **state)
{
    static const char *const addresses[] = {"nonsense", "127.0.0.1", "127.0.0.1:65536", "::1:80",
                                            "192.0.2.1:80"};
    struct fixture *fixture = *state;
    struct http_server_config config = {.limits = usual_limits, .clock = &fixture->clock.clock};
    struct http_server *server = NULL;

    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        struct error err = {0};

        config.listen = addresses[i];
        assert_int_equal(http_server_new(&config, &server, &err), ERROR_INVALID);
        assert_non_null(strstr(err.message, addresses[i]));
        assert_null(server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_is_answered_from_the_loop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_request_that_blocks_is_answered_by_a_worker, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_connection_keeps_what_its_requests_leave, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(requests_that_wait_for_others_hold_up_nobody_else, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(pipelined_requests_are_answered_in_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(many_pipelined_requests_take_turns_and_are_all_answered,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_head_may_come_byte_by_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_large_body_streams_through, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_follows_a_large_chunked_body_is_the_next_request,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_requests_behind_a_chunked_body_are_kept_for_later,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_body_from_elsewhere_comes_whole_and_the_connection_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_body_from_elsewhere_that_ends_early_breaks_off, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_carried_holds_up_nobody_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_body_waits_until_there_is_room_for_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_end_that_has_to_queue_is_tried_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_leaves_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(continue_is_said_once_the_body_is_wanted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(continue_is_not_said_to_a_refused_request, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_answer_in_the_middle_of_a_body_arrives_and_closes,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_body_that_is_refused_at_its_end_is_not_taken_for_the_next_request, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refused_head_is_answered_once_and_closed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_broken_chunk_is_answered_once_and_closed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_client_that_vanishes_in_a_body_is_finished_on_a_worker,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_slow_head_is_answered_408, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_silent_connection_is_closed_without_an_answer, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_body_that_is_to_be_there_sooner_is_answered_408, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_body_that_stalls_is_answered_408, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_client_that_does_not_read_is_dropped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(connections_beyond_the_limit_get_503, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_takes_a_hash_goes_on_elsewhere_when_that_is_done,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(draining_closes_the_idle_and_serves_the_queued, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(draining_while_clients_hang_up_is_safe, set_up, tear_down),
        cmocka_unit_test_setup_teardown(freeing_ends_what_is_under_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_address_that_cannot_be_used_is_an_error, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
