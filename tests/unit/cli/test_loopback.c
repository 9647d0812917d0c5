#include "cli/loopback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/clock.h"

enum { WAIT_MS = 20 * 1000, ANSWER_BYTES = 4096 };

static int set_up(void **state)
{
    struct loopback *const loopback = calloc(1, sizeof(*loopback));

    assert_int_equal(loopback_open(0, loopback, NULL), OK);
    *state = loopback;
    return 0;
}

static int tear_down(void **state)
{
    loopback_close(*state);
    free(*state);
    return 0;
}

static int connect_to(const struct loopback *loopback)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(loopback->port)};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* A browser that has sent its request: the kernel keeps it until somebody accepts. */
static int ask(const struct loopback *loopback, const char *request)
{
    const int fd = connect_to(loopback);

    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    return fd;
}

static void receive(int fd, char answer[ANSWER_BYTES])
{
    size_t length = 0;
    ssize_t got = 0;

    while ((got = recv(fd, answer + length, ANSWER_BYTES - 1 - length, 0)) > 0) {
        length += (size_t)got;
    }
    answer[length] = '\0';
    (void)close(fd);
}

/* Takes note of the query; one with `foreign` or `refused` in it is that. */
static enum loopback_verdict judge(void *context, struct str query)
{
    char *const seen = context;

    (void)snprintf(seen, ANSWER_BYTES, "%.*s", STR_FORMAT(query));
    if (strstr(seen, "foreign")) {
        return LOOPBACK_FOREIGN;
    }
    return strstr(seen, "refused") ? LOOPBACK_REFUSED : LOOPBACK_DONE;
}

static enum error_code await(struct loopback *loopback, int64_t timeout_ms,
                             char query[ANSWER_BYTES], struct error *err)
{
    const struct loopback_judge own = {query, judge};

    query[0] = '\0';
    return loopback_await(loopback, timeout_ms, &own, err);
}

static void the_query_of_the_callback_is_returned(void **state)
{
    static const struct {
        const char *request;
        const char *query;
    } cases[] = {
        {"GET /callback?code=a&state=b HTTP/1.1\r\nHost: x\r\n\r\n", "code=a&state=b"},
        {"GET /callback?code=a%20b HTTP/1.1\n", "code=a%20b"},
        {"GET /callback? HTTP/1.1\r\n\r\n", ""},
        {"GET /callback?error=access_denied\r\n\r\n", "error=access_denied\r"},
    };
    char query[ANSWER_BYTES];
    char answer[ANSWER_BYTES];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const int fd = ask(*state, cases[i].request);

        assert_int_equal(await(*state, WAIT_MS, query, NULL), OK);
        assert_string_equal(query, cases[i].query);
        receive(fd, answer);
        assert_non_null(strstr(answer, "HTTP/1.1 200 OK\r\n"));
    }
}

static void assert_page(int fd, const char *status, const char *text)
{
    char answer[ANSWER_BYTES];
    char expected[64];
    const char *page = NULL;

    receive(fd, answer);
    page = strstr(answer, "\r\n\r\n");
    assert_non_null(page);
    (void)snprintf(expected, sizeof(expected), "Content-Length: %zu\r\n", strlen(page + 4));
    assert_non_null(strstr(answer, expected));
    assert_non_null(strstr(answer, "Cache-Control: no-store\r\n"));
    assert_non_null(strstr(answer, status));
    assert_non_null(strstr(page, text));
}

static void each_verdict_has_a_page_as_long_as_it_says(void **state)
{
    const int done = ask(*state, "GET /callback?a HTTP/1.1\r\n\r\n");
    int refused = -1;
    char query[ANSWER_BYTES];

    assert_int_equal(await(*state, WAIT_MS, query, NULL), OK);
    assert_page(done, "HTTP/1.1 200 OK\r\n", "The terminal has what it needs");
    refused = ask(*state, "GET /callback?refused HTTP/1.1\r\n\r\n");
    assert_int_equal(await(*state, WAIT_MS, query, NULL), OK);
    assert_page(refused, "HTTP/1.1 403 Forbidden\r\n", "You are not logged in");
}

static void what_is_foreign_does_not_end_the_waiting(void **state)
{
    const int foreign[] = {ask(*state, "GET /callback?foreign=1 HTTP/1.1\r\n\r\n"),
                           ask(*state, "GET /callback?foreign=2 HTTP/1.1\r\n\r\n")};
    const int own = ask(*state, "GET /callback?code=good HTTP/1.1\r\n\r\n");
    char query[ANSWER_BYTES];

    assert_int_equal(await(*state, WAIT_MS, query, NULL), OK);
    assert_string_equal(query, "code=good");
    for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
        assert_page(foreign[i], "HTTP/1.1 400 Bad Request\r\n", "not the login");
    }
    assert_page(own, "HTTP/1.1 200 OK\r\n", "go on there");
}

static void all_else_is_not_found(void **state)
{
    static const char *const others[] = {
        "GET / HTTP/1.1\r\n\r\n",
        "GET /favicon.ico HTTP/1.1\r\n\r\n",
        "GET /callback HTTP/1.1\r\n\r\n",
        "GET /callbacks?code=a HTTP/1.1\r\n\r\n",
        "GET /x/callback?code=a HTTP/1.1\r\n\r\n",
        "POST /callback?code=a HTTP/1.1\r\n\r\n",
        "\r\n",
    };
    int fds[ARRAY_LEN(others)];
    char query[ANSWER_BYTES];
    char answer[ANSWER_BYTES];
    int last = -1;

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        fds[i] = ask(*state, others[i]);
    }
    last = ask(*state, "GET /callback?code=good HTTP/1.1\r\n\r\n");
    assert_int_equal(await(*state, WAIT_MS, query, NULL), OK);
    assert_string_equal(query, "code=good");
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        receive(fds[i], answer);
        assert_non_null(strstr(answer, "HTTP/1.1 404 Not Found\r\n"));
    }
    receive(last, answer);
    assert_non_null(strstr(answer, "200 OK"));
}

static void a_request_that_is_too_long_is_not_taken(void **state)
{
    char *const request = malloc(LOOPBACK_REQUEST_MAX_BYTES + 2);
    char query[ANSWER_BYTES];
    int first = -1;
    int second = -1;

    assert_non_null(request);
    memset(request, 'x', LOOPBACK_REQUEST_MAX_BYTES + 1);
    memcpy(request, "GET /callback?", strlen("GET /callback?"));
    request[LOOPBACK_REQUEST_MAX_BYTES + 1] = '\0';
    first = ask(*state, request);
    second = ask(*state, "GET /callback?code=good HTTP/1.1\r\n\r\n");
    assert_int_equal(await(*state, WAIT_MS, query, NULL), OK);
    assert_string_equal(query, "code=good");
    (void)close(first);
    (void)close(second);
    free(request);
}

static void a_browser_that_is_gone_has_still_asked(void **state)
{
    char query[ANSWER_BYTES];

    (void)close(connect_to(*state));
    (void)close(ask(*state, "GET /callback?code=good HTTP/1.1\r\n\r\n"));
    assert_int_equal(await(*state, WAIT_MS, query, NULL), OK);
    assert_string_equal(query, "code=good");
}

static void nobody_is_waited_for_only_so_long(void **state)
{
    struct error err = {0};
    char query[ANSWER_BYTES];

    assert_int_equal(await(*state, 1, query, &err), ERROR_UNAUTHENTICATED);
    assert_non_null(strstr(err.message, "`pierone login`"));
    assert_int_equal(await(*state, 0, query, &err), ERROR_UNAUTHENTICATED);
    assert_string_equal(query, "");
}

static void a_port_that_is_taken_is_told(void **state)
{
    const struct loopback *const loopback = *state;
    struct loopback second = {.fd = -1};
    struct error err = {0};

    assert_true(loopback->port > 0);
    assert_int_equal(loopback_open(loopback->port, &second, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "--device"));
    assert_int_equal(second.fd, -1);
}

static void a_port_can_be_had_again_at_once(void **state)
{
    struct loopback *const loopback = *state;
    const uint16_t port = loopback->port;
    const int fd = ask(loopback, "GET /callback?a HTTP/1.1\r\n\r\n");
    char query[ANSWER_BYTES];

    assert_int_equal(await(loopback, WAIT_MS, query, NULL), OK);
    loopback_close(loopback);
    assert_int_equal(loopback_open(port, loopback, NULL), OK);
    assert_int_equal(loopback->port, port);
    (void)close(fd);
}

static void other_machines_cannot_reach_it(void **state)
{
    const struct loopback *const loopback = *state;
    struct sockaddr_in address;
    socklen_t length = sizeof(address);

    assert_int_equal(getsockname(loopback->fd, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(address.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
}

/* It would hold the port for as long as it runs. */
static void a_browser_that_is_started_does_not_get_it(void **state)
{
    const struct loopback *const loopback = *state;

    assert_true((fcntl(loopback->fd, F_GETFD) & FD_CLOEXEC) != 0);
}

/* Browsers connect in advance, and may say nothing then. */
static void who_says_nothing_is_not_waited_for_beyond_the_end(void **state)
{
    const int64_t begin_ms = clock_monotonic_ms(&clock_system);
    const int fd = connect_to(*state);
    char query[ANSWER_BYTES];

    assert_int_equal(await(*state, 10, query, NULL), ERROR_UNAUTHENTICATED);
    assert_true(clock_monotonic_ms(&clock_system) - begin_ms < 1500);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_query_of_the_callback_is_returned, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_verdict_has_a_page_as_long_as_it_says, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_foreign_does_not_end_the_waiting, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(all_else_is_not_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_request_that_is_too_long_is_not_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_browser_that_is_gone_has_still_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_is_waited_for_only_so_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_port_that_is_taken_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_port_can_be_had_again_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_machines_cannot_reach_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_browser_that_is_started_does_not_get_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(who_says_nothing_is_not_waited_for_beyond_the_end, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
