#include "outbound/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"

static void wanted_fields_are_found_in_any_case(void **state)
{
    static const struct {
        const char *name;
        const char *value; /* NULL: none */
    } cases[] = {
        {"Link", "</a>; rel=\"next\""},
        {"LINK", "</a>; rel=\"next\""},
        {"location", "https://a.b:5000/c"},
        {"Empty", ""},
        {"Lin", NULL},
        {"Links", NULL},
        {"", NULL},
    };
    struct outbound_answer answer = {0};

    (void)state;
    strbuf_init(&answer.fields, 1000);
    strbuf_append_text(&answer.fields, "link:\t</a>; rel=\"next\" \r\nEmpty:\r\n"
                                       "Location: https://a.b:5000/c\r\nLink: second\r\n");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct str found = outbound_answer_field(&answer, cases[i].name);

        if (cases[i].value) {
            assert_true(str_is(found, cases[i].value));
            assert_non_null(found.bytes);
        } else {
            assert_null(found.bytes);
        }
    }
    outbound_answer_release(&answer);
}

static void an_answer_may_have_no_fields(void **state)
{
    struct outbound_answer answer = {0};

    (void)state;
    strbuf_init(&answer.body, 10);
    strbuf_init(&answer.fields, 0);
    assert_null(outbound_answer_field(&answer, "Link").bytes);
    outbound_answer_release(&answer);
}

static void host_and_reason_are_told_and_no_secret(void **state)
{
    static const struct {
        struct http_failure failure;
        const char *told;
    } cases[] = {
        {{"https://a.b:5000/path?token=sesame", CURLE_OPERATION_TIMEDOUT, "sesame", false, 0},
         "a.b:5000 cannot be asked: no answer in time"},
        {{"http://a.b?token=sesame", CURLE_COULDNT_CONNECT, "Failed to connect", false, 0},
         "a.b cannot be asked: Failed to connect"},
        {{"http://a.b", CURLE_COULDNT_RESOLVE_HOST, "", false, 0}, "a.b cannot be asked: "},
        {{"https://a.b/x", CURLE_SSL_CONNECT_ERROR, "wrong version", false, 0}, "wrong version"},
        /* what curl says of these may hold the URL */
        {{"http://a.b/?sesame", CURLE_URL_MALFORMAT, "bad URL http://a.b/?sesame", false, 0},
         "a.b cannot be asked: "},
        {{"http://a.b/", CURLE_RECV_ERROR, "sesame", false, 0}, "a.b cannot be asked: "},
        {{"http://a.b/", CURLE_WRITE_ERROR, "sesame", true, 0}, "the answer is too long"},
        {{"https://a.b/", CURLE_RECV_ERROR, "CONNECT", false, 403}, "does not allow it"},
        {{"https://a.b/", CURLE_RECV_ERROR, "CONNECT", false, 407}, "wants a login"},
        {{"https://a.b/", CURLE_RECV_ERROR, "CONNECT", false, 503}, "does not reach it"},
        {{"https://a.b/", CURLE_RECV_ERROR, "CONNECT", false, 418}, "refuses to connect"},
        {{"https://a.b/", CURLE_COULDNT_RESOLVE_PROXY, "Could not resolve proxy: p", false, 0},
         "Could not resolve proxy: p"},
        {{"sesame", CURLE_URL_MALFORMAT, "", false, 0}, " cannot be asked: "},
        {{"", CURLE_URL_MALFORMAT, "", false, 0}, " cannot be asked: "},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err = {0};

        assert_int_equal(http_failure_set(&cases[i].failure, &err), ERROR_UNAVAILABLE);
        assert_non_null(strstr(err.message, cases[i].told));
        assert_null(strstr(err.message, "sesame"));
    }
}

static void a_host_is_cut(void **state)
{
    static const char scheme[] = "https://";
    char url[600];
    struct error err = {0};
    const struct http_failure failure = {url, CURLE_OPERATION_TIMEDOUT, "", false, 0};

    (void)state;
    memset(url, 'a', sizeof(url));
    memcpy(url, scheme, strlen(scheme));
    url[sizeof(url) - 1] = '\0';
    assert_int_equal(http_failure_set(&failure, &err), ERROR_UNAVAILABLE);
    assert_non_null(strstr(err.message, "no answer in time"));
    assert_int_equal(http_failure_set(&failure, NULL), ERROR_UNAVAILABLE);
}

/* Nobody is there to show a certificate: the reason stands alone. */
static void a_certificate_that_cannot_be_had_is_left_out(void **state)
{
    static const struct http_failure failure = {
        "https://127.0.0.1:1/?sesame", CURLE_PEER_FAILED_VERIFICATION, "self-signed", false, 0};
    struct error err = {0};

    (void)state;
    assert_int_equal(http_failure_set(&failure, &err), ERROR_UNAVAILABLE);
    assert_string_equal(err.message, "127.0.0.1:1 cannot be asked: self-signed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wanted_fields_are_found_in_any_case),
        cmocka_unit_test(an_answer_may_have_no_fields),
        cmocka_unit_test(host_and_reason_are_told_and_no_secret),
        cmocka_unit_test(a_host_is_cut),
        cmocka_unit_test(a_certificate_that_cannot_be_had_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
