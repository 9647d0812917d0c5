#include "outbound/http_client.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/stub_server.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

enum { ANSWER_MAX_BYTES = 1000, TIMEOUT_MS = 10 * 1000 };

static int set_up(void **state)
{
    const struct http_client_config config = {
        .user_agent = "pieroned/test",
        .timeout_ms = TIMEOUT_MS,
        .answer_max_bytes = ANSWER_MAX_BYTES,
    };
    struct http_client *client = NULL;

    assert_int_equal(http_client_new(&config, &client, NULL), OK);
    *state = client;
    return 0;
}

static int tear_down(void **state)
{
    http_client_free(*state);
    return 0;
}

/* Sends a plain GET for a path with a secret in it. */
static enum error_code get(struct http_client *client, const char *base,
                           struct outbound_answer *answer, struct error *err)
{
    char url[256];
    const struct outbound_request request = {.url = url};

    (void)snprintf(url, sizeof(url), "%s/path?token=sesame", base);
    return http_client_send(client, &request, answer, err);
}

static void an_answer_is_collected(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 418 Teapot\r\nContent-Length: 3\r\ncache-control: public, max-age=60\r\n\r\nabc",
        NULL};
    struct stub_server *server = stub_server_new(answers);
    struct outbound_answer answer;
    struct error err;

    assert_int_equal(get(*state, stub_server_url(server), &answer, &err), OK);
    assert_int_equal(answer.status, 418);
    assert_string_equal(answer.body.text, "abc");
    assert_int_equal(answer.max_age_s, 60);
    assert_non_null(strstr(stub_server_request(server), "GET /path?token=sesame HTTP/1.1\r\n"));
    assert_non_null(strstr(stub_server_request(server), "User-Agent: pieroned/test\r\n"));
    outbound_answer_release(&answer);
    stub_server_free(server);
}

static void a_request_has_all_its_parts(void **state)
{
    static const char *const answers[] = {OK_ANSWER, NULL};
    static const char *const headers[] = {"X-One: 1", "X-Two: 2", NULL};
    struct stub_server *server = stub_server_new(answers);
    struct outbound_request request = {
        .method = "PUT",
        .url = stub_server_url(server),
        .headers = headers,
        .bearer = "sesame",
        .body = STR_LITERAL("{\"a\":1}"),
        .content_type = "application/json",
    };
    struct outbound_answer answer;
    const char *seen = NULL;

    assert_int_equal(http_client_send(*state, &request, &answer, NULL), OK);
    seen = stub_server_request(server);
    assert_non_null(strstr(seen, "PUT / HTTP/1.1\r\n"));
    assert_non_null(strstr(seen, "Authorization: Bearer sesame\r\n"));
    assert_non_null(strstr(seen, "X-One: 1\r\n"));
    assert_non_null(strstr(seen, "X-Two: 2\r\n"));
    assert_non_null(strstr(seen, "Content-Type: application/json\r\n"));
    assert_null(strstr(seen, "Expect:"));
    assert_non_null(strstr(seen, "\r\n\r\n{\"a\":1}"));
    outbound_answer_release(&answer);
    stub_server_free(server);
}

static void what_was_set_for_one_request_is_not_there_for_the_next(void **state)
{
    static const char *const answers[] = {OK_ANSWER, NULL};
    struct stub_server *server = stub_server_new(answers);
    const struct outbound_request request = {
        .method = "POST",
        .url = stub_server_url(server),
        .user = "pierone",
        .password = "sesame",
        .body = STR_LITERAL("a=b"),
    };
    struct outbound_answer answer;
    struct error err;

    assert_int_equal(http_client_send(*state, &request, &answer, &err), OK);
    assert_non_null(
        strstr(stub_server_request(server), "Authorization: Basic cGllcm9uZTpzZXNhbWU=\r\n"));
    outbound_answer_release(&answer);
    assert_int_equal(get(*state, stub_server_url(server), &answer, &err), OK);
    assert_non_null(strstr(stub_server_request(server), "GET /path"));
    assert_null(strstr(stub_server_request(server), "Authorization"));
    assert_null(strstr(stub_server_request(server), "Content-"));
    outbound_answer_release(&answer);
    stub_server_free(server);
}

static void a_get_may_have_a_body(void **state)
{
    static const char *const answers[] = {OK_ANSWER, NULL};
    struct stub_server *server = stub_server_new(answers);
    const struct outbound_request request = {
        .url = stub_server_url(server), .body = STR_LITERAL("{}"), .content_type = "x/y"};
    struct outbound_answer answer;

    assert_int_equal(http_client_send(*state, &request, &answer, NULL), OK);
    assert_non_null(strstr(stub_server_request(server), "GET / HTTP/1.1\r\n"));
    assert_non_null(strstr(stub_server_request(server), "\r\n\r\n{}"));
    outbound_answer_release(&answer);
    stub_server_free(server);
}

static void a_sink_takes_what_was_asked_for_and_nothing_else(void **state)
{
    static const char *const answers[] = {"HTTP/1.1 206 Partial\r\nContent-Length: 5\r\n\r\nhello",
                                          "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\noops",
                                          "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ntoo large",
                                          NULL};
    struct stub_server *server = stub_server_new(answers);
    struct strbuf sink;
    const struct outbound_request request = {.url = stub_server_url(server), .sink = &sink};
    struct outbound_answer answer;
    struct error err = {0};

    strbuf_init(&sink, 5);
    assert_int_equal(http_client_send(*state, &request, &answer, NULL), OK);
    assert_string_equal(sink.text, "hello");
    assert_string_equal(answer.body.text, "");
    outbound_answer_release(&answer);
    assert_int_equal(http_client_send(*state, &request, &answer, NULL), OK);
    assert_string_equal(sink.text, "");
    assert_string_equal(answer.body.text, "oops");
    outbound_answer_release(&answer);
    assert_int_equal(http_client_send(*state, &request, &answer, &err), ERROR_UNAVAILABLE);
    assert_non_null(strstr(err.message, "the answer is too long"));
    outbound_answer_release(&answer);
    strbuf_release(&sink);
    stub_server_free(server);
}

static void what_passes_is_tried_once_more(void **state)
{
    static const struct {
        const char *answers[4];
        int status; /* 0: there is none */
        int count;
    } rows[] = {
        {{"", OK_ANSWER, NULL}, 200, 2},
        {{"HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n", OK_ANSWER, NULL}, 200, 2},
        {{"HTTP/1.1 502 x\r\nContent-Length: 4\r\n\r\noops", OK_ANSWER, NULL}, 200, 2},
        {{"HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n", NULL}, 503, 2},
        {{"HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n", OK_ANSWER, NULL}, 500, 1},
        {{"HTTP/1.1 302 x\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", OK_ANSWER, NULL}, 302, 1},
        {{"nonsense\r\nConnection: close\r\n\r\n", NULL}, 0, 1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stub_server *server = stub_server_new(rows[i].answers);
        struct outbound_answer answer;
        struct error err = {0};
        const enum error_code code = get(*state, stub_server_url(server), &answer, &err);

        assert_int_equal(code, rows[i].status == 0 ? ERROR_UNAVAILABLE : OK);
        assert_int_equal(answer.status, rows[i].status);
        assert_string_equal(answer.body.text, rows[i].status == 200 ? "hello" : "");
        assert_int_equal(stub_server_count(server), rows[i].count);
        assert_null(strstr(err.message, "sesame"));
        outbound_answer_release(&answer);
        stub_server_free(server);
    }
}

static void a_server_that_hangs_is_given_up(void **state)
{
    static const char *const answers[] = {stub_server_hang, NULL};
    struct stub_server *server = stub_server_new(answers);
    const struct outbound_request request = {.url = stub_server_url(server), .timeout_ms = 50};
    struct outbound_answer answer;
    struct error err;

    assert_int_equal(http_client_send(*state, &request, &answer, &err), ERROR_UNAVAILABLE);
    assert_non_null(strstr(err.message, "127.0.0.1:"));
    assert_non_null(strstr(err.message, "no answer in time"));
    outbound_answer_release(&answer);
    stub_server_free(server);
}

static void nobody_there_is_said_with_host_and_reason(void **state)
{
    static const char *const answers[] = {OK_ANSWER, NULL};
    struct stub_server *server = stub_server_new(answers);
    struct outbound_answer answer;
    struct error err;
    char url[64];

    (void)snprintf(url, sizeof(url), "%s", stub_server_url(server));
    stub_server_free(server);
    assert_int_equal(get(*state, url, &answer, &err), ERROR_UNAVAILABLE);
    assert_non_null(strstr(err.message, url + strlen("http://")));
    assert_null(strstr(err.message, "sesame"));
    outbound_answer_release(&answer);
}

static void an_answer_that_is_too_long_is_none(void **state)
{
    static char text[ANSWER_MAX_BYTES + 200];
    const char *answers[] = {text, NULL};
    struct stub_server *server = NULL;
    struct outbound_answer answer;
    struct error err;

    (void)snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%0*d",
                   ANSWER_MAX_BYTES + 1, ANSWER_MAX_BYTES + 1, 7);
    server = stub_server_new(answers);
    assert_int_equal(get(*state, stub_server_url(server), &answer, &err), ERROR_UNAVAILABLE);
    assert_non_null(strstr(err.message, "the answer is too long"));
    assert_int_equal(answer.body.length, 0);
    outbound_answer_release(&answer);
    stub_server_free(server);
}

static void other_schemes_are_not_spoken(void **state)
{
    const struct outbound_request request = {.url = "file:///etc/hostname"};
    struct outbound_answer answer;

    assert_int_equal(http_client_send(*state, &request, &answer, NULL), ERROR_UNAVAILABLE);
    outbound_answer_release(&answer);
}

struct asker {
    struct http_client *client;
    const char *url;
    int good;
};

static void *ask_often(void *argument)
{
    struct asker *asker = argument;

    for (int i = 0; i < 20; i++) {
        struct outbound_answer answer;

        asker->good += get(asker->client, asker->url, &answer, NULL) == OK;
        outbound_answer_release(&answer);
    }
    return NULL;
}

static void a_direct_request_goes_past_the_proxy(void **state)
{
    static const char *const answers[] = {OK_ANSWER, NULL};
    struct stub_server *proxy = stub_server_new(answers);
    struct stub_server *server = stub_server_new(answers);
    struct outbound_request request = {.url = stub_server_url(server), .is_direct = true};
    struct outbound_answer answer;

    assert_int_equal(setenv("http_proxy", stub_server_url(proxy), 1), 0);
    assert_int_equal(http_client_send(*state, &request, &answer, NULL), OK);
    outbound_answer_release(&answer);
    assert_int_equal(stub_server_count(proxy), 0);
    request.is_direct = false;
    assert_int_equal(http_client_send(*state, &request, &answer, NULL), OK);
    outbound_answer_release(&answer);
    assert_int_equal(stub_server_count(proxy), 1);
    assert_int_equal(unsetenv("http_proxy"), 0);
    assert_int_equal(stub_server_count(server), 1);
    stub_server_free(server);
    stub_server_free(proxy);
}

static void threads_share_a_client(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", NULL};
    struct stub_server *server = stub_server_new(answers);
    struct asker askers[4];
    pthread_t threads[4];

    for (int i = 0; i < 4; i++) {
        askers[i] = (struct asker){*state, stub_server_url(server), 0};
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &askers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(askers[i].good, 20);
    }
    stub_server_free(server);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void forget_proxies(void)
{
    static const char *const names[] = {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
                                        "all_proxy",  "ALL_PROXY",  "no_proxy",    "NO_PROXY"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        (void)unsetenv(names[i]);
    }
}

/* Nobody listens at port 1: an answer is the proxy's. */
static void a_proxy_is_asked_as_its_variables_say(void **state)
{
    static const char *const answers[] = {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", NULL};
    static const struct {
        const char *variable;
        const char *past; /* of no_proxy; NULL: not set */
        const char *base;
        bool is_asked;
    } rows[] = {
        {"http_proxy", NULL, "http://127.0.0.1:1", true},
        {"all_proxy", NULL, "http://127.0.0.1:1", true},
        {"ALL_PROXY", NULL, "http://127.0.0.1:1", true},
        {"HTTP_PROXY", NULL, "http://127.0.0.1:1", false}, /* a request field's, in CGI */
        {"https_proxy", NULL, "http://127.0.0.1:1", false},
        {"http_proxy", "127.0.0.1", "http://127.0.0.1:1", false},
        {"http_proxy", "example.org, 127.0.0.1", "http://127.0.0.1:1", false},
        {"http_proxy", "127.0.0.0/8", "http://127.0.0.1:1", false},
        {"http_proxy", "10.0.0.0/8", "http://127.0.0.1:1", true},
        {"http_proxy", "*", "http://127.0.0.1:1", false},
        {"http_proxy", "localhost", "http://a.localhost:1", false},
        {"http_proxy", ".localhost", "http://a.localhost:1", false},
        {"http_proxy", "b.localhost", "http://a.localhost:1", true},
    };
    struct stub_server *server = stub_server_new(answers);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct outbound_answer answer;

        forget_proxies();
        assert_int_equal(setenv(rows[i].variable, stub_server_url(server), 1), 0);
        assert_int_equal(rows[i].past ? setenv("no_proxy", rows[i].past, 1) : 0, 0);
        assert_int_equal(get(*state, rows[i].base, &answer, NULL),
                         rows[i].is_asked ? OK : ERROR_UNAVAILABLE);
        outbound_answer_release(&answer);
    }
    forget_proxies();
    stub_server_free(server);
}

static void a_proxy_that_refuses_is_told(void **state)
{
    static const struct {
        const char *answers[2];
        const char *base;
        const char *told;
    } rows[] = {
        {{"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"},
         "https://registry.example.org",
         "registry.example.org cannot be asked: the proxy in between wants a login (status 407)"},
        {{"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"},
         "http://registry.example.org",
         "wants a login (status 407)"},
        {{"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"},
         "https://registry.example.org",
         "does not allow it (status 403)"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct stub_server *server = stub_server_new(rows[i].answers);
        struct outbound_answer answer;
        struct error err = {0};

        forget_proxies();
        assert_int_equal(setenv("all_proxy", stub_server_url(server), 1), 0);
        assert_int_equal(get(*state, rows[i].base, &answer, &err), ERROR_UNAVAILABLE);
        assert_non_null(strstr(err.message, rows[i].told));
        assert_null(strstr(err.message, "sesame"));
        assert_int_equal(answer.status, 0);
        outbound_answer_release(&answer);
        stub_server_free(server);
    }
    forget_proxies();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_proxy_is_asked_as_its_variables_say, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_proxy_that_refuses_is_told, set_up, tear_down),
        TEST(an_answer_is_collected),
        TEST(a_request_has_all_its_parts),
        TEST(what_was_set_for_one_request_is_not_there_for_the_next),
        TEST(a_get_may_have_a_body),
        TEST(a_sink_takes_what_was_asked_for_and_nothing_else),
        TEST(what_passes_is_tried_once_more),
        TEST(a_server_that_hangs_is_given_up),
        TEST(nobody_there_is_said_with_host_and_reason),
        TEST(an_answer_that_is_too_long_is_none),
        TEST(other_schemes_are_not_spoken),
        TEST(a_direct_request_goes_past_the_proxy),
        TEST(threads_share_a_client),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
