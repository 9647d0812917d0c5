#include "cli/loopback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attributes.h"

enum { WAIT_MS = 10 * 1000, REPLY_BYTES = 4096 };

/* What a browser sends, one request after the other, and what it gets for the last. */
struct browser {
    uint16_t port;
    const char *requests[3];
    char reply[REPLY_BYTES];
};

static void *browse(void *context)
{
    struct browser *browser = context;

    for (size_t i = 0; i < ARRAY_LEN(browser->requests) && browser->requests[i]; i++) {
        const struct sockaddr_in address = {
            .sin_family = AF_INET,
            .sin_port = htons(browser->port),
            .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
        };
        const int fd = socket(AF_INET, SOCK_STREAM, 0);
        size_t length = 0;
        ssize_t got = 1;

        assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        (void)!send(fd, browser->requests[i], strlen(browser->requests[i]), MSG_NOSIGNAL);
        while (got > 0 && length < sizeof(browser->reply) - 1) {
            got = recv(fd, browser->reply + length, sizeof(browser->reply) - 1 - length, 0);
            length += got > 0 ? (size_t)got : 0;
        }
        browser->reply[length] = '\0';
        (void)close(fd);
    }
    return NULL;
}

static void the_callback_is_awaited(void **state)
{
    struct browser browser = {
        .requests = {"GET /favicon.ico HTTP/1.1\r\n\r\n", "POST /callback?code=no HTTP/1.1\r\n\r\n",
                     "GET /callback?code=a%20b&state=s HTTP/1.1\r\nHost: x\r\n\r\n"}};
    struct loopback loopback;
    struct strbuf query;
    pthread_t thread;

    (void)state;
    assert_int_equal(loopback_open(0, &loopback, NULL), OK);
    assert_true(loopback.port > 0);
    browser.port = loopback.port;
    assert_int_equal(pthread_create(&thread, NULL, browse, &browser), 0);
    strbuf_init(&query, LOOPBACK_REQUEST_MAX_BYTES);
    assert_int_equal(loopback_await(&loopback, WAIT_MS, &query, NULL), OK);
    assert_string_equal(query.text, "code=a%20b&state=s");
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_non_null(strstr(browser.reply, "200 OK"));
    strbuf_release(&query);
    loopback_close(&loopback);
}

/* As long as its head says. */
static void the_page_is_whole(void **state)
{
    struct browser browser = {.requests = {"GET /callback?x HTTP/1.1\r\n\r\n"}};
    struct loopback loopback;
    struct strbuf query;
    pthread_t thread;
    const char *length = NULL;
    uint64_t expected = 0;
    struct str digits;

    (void)state;
    assert_int_equal(loopback_open(0, &loopback, NULL), OK);
    browser.port = loopback.port;
    assert_int_equal(pthread_create(&thread, NULL, browse, &browser), 0);
    strbuf_init(&query, LOOPBACK_REQUEST_MAX_BYTES);
    assert_int_equal(loopback_await(&loopback, WAIT_MS, &query, NULL), OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    length = strstr(browser.reply, "Content-Length: ");
    assert_non_null(length);
    digits = str_from(length + strlen("Content-Length: "));
    assert_true(str_parse_uint64(str_slice(digits, 0, str_index_of(digits, '\r')), &expected));
    assert_int_equal(strlen(strstr(browser.reply, "\r\n\r\n") + 4), expected);
    strbuf_release(&query);
    loopback_close(&loopback);
}

static void nobody_comes(void **state)
{
    struct loopback loopback;
    struct strbuf query;
    struct error err = {0};

    (void)state;
    assert_int_equal(loopback_open(0, &loopback, NULL), OK);
    strbuf_init(&query, LOOPBACK_REQUEST_MAX_BYTES);
    assert_int_equal(loopback_await(&loopback, 1, &query, &err), ERROR_UNAUTHENTICATED);
    assert_non_null(strstr(err.message, "pierone login"));
    strbuf_release(&query);
    loopback_close(&loopback);
}

static void a_port_that_is_taken_is_told(void **state)
{
    struct loopback first;
    struct loopback second;
    struct error err = {0};

    (void)state;
    assert_int_equal(loopback_open(0, &first, NULL), OK);
    assert_int_equal(loopback_open(first.port, &second, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "--device"));
    loopback_close(&first);
}

int main(void)
{
    const struct CMUnitTest loopback[] = {
        cmocka_unit_test(the_callback_is_awaited),
        cmocka_unit_test(the_page_is_whole),
        cmocka_unit_test(nobody_comes),
        cmocka_unit_test(a_port_that_is_taken_is_told),
    };

    return cmocka_run_group_tests(loopback, NULL, NULL);
}
