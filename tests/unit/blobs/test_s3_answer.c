#include "blobs/s3_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"

enum { BODY_MAX_BYTES = 1000 };

static struct s3_answer read_answer(const struct s3_request *request, int status, const char *body)
{
    struct s3_answer answer = {.http.status = status};

    strbuf_init(&answer.http.body, BODY_MAX_BYTES);
    strbuf_init(&answer.http.fields, 0);
    strbuf_append_text(&answer.http.body, body);
    s3_answer_read(request, &answer);
    return answer;
}

static void what_passes_is_told_from_what_has_to_be_mended(void **state)
{
    static const struct {
        int status;
        const char *code;
        bool is_retryable;
    } rows[] = {
        {503, "SlowDown", true},
        {500, "InternalError", true},
        {502, "", true},
        {429, "TooManyRequestsException", true},
        {400, "RequestTimeout", true},
        {400, "XAmzContentSHA256Mismatch", true},
        {400, "ThrottlingException", true},
        {409, "OperationAborted", true},
        {200, "InternalError", true},
        {400, "ExpiredToken", false},
        {403, "AccessDenied", false},
        {403, "RequestTimeTooSkewed", false},
        {301, "PermanentRedirect", false},
        {404, "NoSuchBucket", false},
        {400, "KMS.DisabledException", false},
        {400, "InvalidPart", false},
        {412, "PreconditionFailed", false},
        {200, "", false},
    };
    const struct s3_request request = {.method = "POST"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char body[BODY_MAX_BYTES];
        struct s3_answer answer;

        (void)snprintf(body, sizeof(body), "<Error><Code>%s</Code></Error>", rows[i].code);
        answer = read_answer(&request, rows[i].status, body);
        assert_true(s3_answer_is(&answer, rows[i].code));
        assert_int_equal(s3_answer_is_retryable(&answer), rows[i].is_retryable);
        s3_answer_release(&answer);
    }
}

/* Whatever looks like an error in it. */
static void the_body_of_a_blob_is_held_against_its_length_alone(void **state)
{
    struct strbuf bytes;
    const struct s3_request request = {.method = "GET", .sink = &bytes, .sink_bytes = 5};
    struct s3_answer answer;

    (void)state;
    strbuf_init(&bytes, BODY_MAX_BYTES);
    strbuf_append_text(&bytes, "short");
    answer = read_answer(&request, 206, "<Error><Code>SlowDown</Code></Error>");
    assert_false(s3_answer_is_retryable(&answer));
    s3_answer_release(&answer);
    strbuf_append_text(&bytes, "er");
    answer = read_answer(&request, 206, "");
    assert_true(s3_answer_is_retryable(&answer));
    s3_answer_release(&answer);
    answer = read_answer(&request, 404, "<Error><Code>NoSuchKey</Code></Error>");
    assert_true(s3_answer_is(&answer, "NoSuchKey"));
    s3_answer_release(&answer);
    strbuf_release(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_passes_is_told_from_what_has_to_be_mended),
        cmocka_unit_test(the_body_of_a_blob_is_held_against_its_length_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
