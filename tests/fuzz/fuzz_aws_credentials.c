#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "aws/source.h"
#include "base/clock.h"

static void check_keys(enum error_code code, struct aws_key_copy *copy);
static void check_text(const char *text, size_t max_bytes);
static void check_error_code(struct str text);

/* The bytes as a credentials file, as both kinds of answers, and as a time. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const struct str text = {(const char *)bytes, length};
    struct aws_key_copy copy = {0};
    int64_t wall_ms = 0;

    check_keys(aws_credentials_file_parse(text, "default", &copy, NULL), &copy);
    check_keys(aws_answer_read_json(text, &copy, NULL), &copy);
    check_keys(aws_answer_read_xml(text, &copy, NULL), &copy);
    check_error_code(text);
    if (clock_parse_iso(text, &wall_ms)) {
        assert(wall_ms >= 0);
    }
    return 0;
}

/* What is read can be sent in a header, and a failure leaves nothing to release. */
static void check_keys(enum error_code code, struct aws_key_copy *copy)
{
    if (code) {
        assert(!copy->memory);
        return;
    }
    check_text(copy->keys.access_key_id, AWS_KEY_MAX_BYTES);
    check_text(copy->keys.secret_access_key, AWS_KEY_MAX_BYTES);
    if (copy->keys.session_token) {
        check_text(copy->keys.session_token, AWS_TOKEN_MAX_BYTES);
    }
    aws_key_copy_release(copy);
}

static void check_text(const char *text, size_t max_bytes)
{
    const size_t length = strlen(text);

    assert(length > 0);
    assert(length <= max_bytes);
    for (size_t i = 0; i < length; i++) {
        assert(text[i] > ' ');
        assert(text[i] <= '~');
    }
}

static void check_error_code(struct str text)
{
    const struct str code = aws_answer_error_code(text);

    assert(code.length <= 64);
    for (size_t i = 0; i < code.length; i++) {
        assert(code.bytes[i] != '<');
    }
}
