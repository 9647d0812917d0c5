#include "api/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"

#define EMPTY_SHA256 "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct fixture {
    struct http_exchange exchange;
    struct call call;
    struct digest digest; /* of nothing */
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.call.exchange = &fixture.exchange};
    http_response_init(&fixture.exchange.response);
    arena_init(&fixture.exchange.arena, 64 * 1024);
    strbuf_init(&fixture.call.written, RESPONSE_MAX_BYTES);
    fixture.digest = hasher_digest_of(DIGEST_SHA256, (struct str){0});
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    http_response_release(&fixture->exchange.response);
    arena_release(&fixture->exchange.arena);
    strbuf_release(&fixture->call.written);
    return 0;
}

static const char *headers(const struct fixture *fixture)
{
    return fixture->exchange.response.headers.text;
}

static void written_answer_is_sent_with_its_type(void **state)
{
    struct fixture *fixture = *state;

    strbuf_append_text(&fixture->call.written, "[]");
    assert_int_equal(call_respond_written(&fixture->call, "application/json", NULL), OK);
    assert_int_equal(fixture->exchange.response.status, 200);
    assert_true(str_is(fixture->exchange.response.body, "[]"));
    assert_non_null(strstr(headers(fixture), "Content-Type: application/json\r\n"));
    assert_non_null(strstr(headers(fixture), "Cache-Control: private, no-cache\r\n"));
}

static void answer_that_did_not_fit_is_too_large(void **state)
{
    struct fixture *fixture = *state;
    struct error err;

    fixture->call.written.is_truncated = true;
    assert_int_equal(call_respond_written(&fixture->call, "application/json", &err),
                     ERROR_TOO_LARGE);
    assert_int_equal(fixture->exchange.response.status, 0);
}

static void digest_is_told_and_is_the_entity_tag(void **state)
{
    struct fixture *fixture = *state;

    call_add_digest(&fixture->call, &fixture->digest);
    call_add_etag(&fixture->call, &fixture->digest);
    assert_string_equal(headers(fixture), "Docker-Content-Digest: " EMPTY_SHA256 "\r\n"
                                          "ETag: \"" EMPTY_SHA256 "\"\r\n");
}

static void longest_digest_fits_into_an_entity_tag(void **state)
{
    const struct digest digest = hasher_digest_of(DIGEST_SHA512, (struct str){0});
    char text[CALL_ETAG_BYTES];
    const struct str etag = call_format_etag(&digest, text);

    (void)state;
    assert_int_equal(etag.length, sizeof("\"sha512:\"") - 1 + 128);
    assert_true(str_starts_with(etag, "\"sha512:"));
    assert_true(str_ends_with(etag, "\""));
}

static void known_content_is_not_sent_again(void **state)
{
    static const struct {
        const char *condition;
        bool is_known;
    } cases[] = {
        {"\"" EMPTY_SHA256 "\"", true},
        {"\"x\", W/\"" EMPTY_SHA256 "\"", true},
        {"*", true},
        {"\"x\"", false},
        {EMPTY_SHA256, false},
    };
    struct fixture *fixture = *state;

    assert_false(call_is_not_modified(&fixture->call, &fixture->digest));
    fixture->exchange.request.header_count = 1;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        fixture->exchange.response.status = 0;
        fixture->exchange.request.headers[0] =
            (struct http_header){STR_LITERAL("if-none-match"), str_from(cases[i].condition)};
        assert_int_equal(call_is_not_modified(&fixture->call, &fixture->digest), cases[i].is_known);
        assert_int_equal(fixture->exchange.response.status, cases[i].is_known ? 304 : 0);
    }
}

static void parameter_is_decoded(void **state)
{
    struct fixture *fixture = *state;

    struct str value;

    fixture->exchange.request.query = str_from("a=%2Fx%3D&empty=&bad=%zz");
    assert_int_equal(call_parameter(&fixture->call, "a", ABOUT_PAGE, &value, NULL), OK);
    assert_true(str_is(value, "/x="));
    assert_int_equal(call_parameter(&fixture->call, "empty", ABOUT_PAGE, &value, NULL), OK);
    assert_non_null(value.bytes);
    assert_int_equal(call_parameter(&fixture->call, "none", ABOUT_PAGE, &value, NULL), OK);
    assert_null(value.bytes);
}

static void parameter_that_cannot_be_read_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct str value;

    fixture->exchange.request.query = str_from("bad=%zz&bad=good");
    assert_int_equal(call_parameter(&fixture->call, "bad", ABOUT_DIGEST, &value, &err),
                     ERROR_INVALID);
    assert_int_equal(err.topic, ABOUT_DIGEST);
    assert_null(value.bytes);
}

static void parameter_that_is_there_twice_is_refused_unless_it_may(void **state)
{
    static const char *const queries[] = {"n=1&n=1", "n=1&%6e=2", "n&n", "n=1&m=2&n=3", "n=1&n=%"};
    struct fixture *fixture = *state;
    struct error err = {0};
    struct str value;
    size_t position = 0;

    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        fixture->exchange.request.query = str_from(queries[i]);
        assert_int_equal(call_parameter(&fixture->call, "n", ABOUT_DIGEST, &value, &err),
                         ERROR_INVALID);
        assert_int_equal(err.topic, ABOUT_DIGEST);
    }
    fixture->exchange.request.query = str_from("n=1&m=0&n=2&n=%");
    for (const char *wanted = "12"; *wanted; wanted++) {
        assert_int_equal(
            call_next_parameter(&fixture->call, "n", ABOUT_TAG, &position, &value, &err), OK);
        assert_int_equal(value.bytes[0], *wanted);
    }
    assert_int_equal(call_next_parameter(&fixture->call, "n", ABOUT_TAG, &position, &value, &err),
                     ERROR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(written_answer_is_sent_with_its_type, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answer_that_did_not_fit_is_too_large, set_up, tear_down),
        cmocka_unit_test_setup_teardown(digest_is_told_and_is_the_entity_tag, set_up, tear_down),
        cmocka_unit_test(longest_digest_fits_into_an_entity_tag),
        cmocka_unit_test_setup_teardown(known_content_is_not_sent_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(parameter_is_decoded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(parameter_that_is_there_twice_is_refused_unless_it_may,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(parameter_that_cannot_be_read_is_refused, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
