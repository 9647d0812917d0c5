#include "aws/keys.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Keys go into header fields, where a space or a line's end would say something else. */
static enum error_code key_check(struct str text, const char *name, size_t max_bytes,
                                 struct error *err)
{
    if (text.length == 0) {
        return error_set(err, ERROR_INVALID, "the %s is missing", name);
    }
    if (text.length > max_bytes) {
        return error_set(err, ERROR_INVALID, "the %s has more than %zu bytes", name, max_bytes);
    }
    for (size_t i = 0; i < text.length; i++) {
        if (text.bytes[i] <= ' ' || text.bytes[i] > '~') {
            return error_set(err, ERROR_INVALID,
                             "the %s has a byte in it that is no letter, digit or punctuation",
                             name);
        }
    }
    return OK;
}

static const char *key_put(char **end, struct str text)
{
    char *const begin = *end;

    memcpy(begin, text.bytes, text.length);
    *end += text.length + 1;
    return begin;
}

enum error_code aws_key_copy_make(struct str access_key_id, struct str secret_access_key,
                                  struct str session_token, struct aws_key_copy *copy_out,
                                  struct error *err)
{
    const size_t bytes = access_key_id.length + secret_access_key.length + session_token.length + 3;
    enum error_code code = key_check(access_key_id, "access key id", AWS_KEY_MAX_BYTES, err);
    char *end = NULL;

    code = code ? code : key_check(secret_access_key, "secret access key", AWS_KEY_MAX_BYTES, err);
    if (!code && session_token.length > 0) {
        code = key_check(session_token, "session token", AWS_TOKEN_MAX_BYTES, err);
    }
    if (code) {
        return code;
    }
    *copy_out = (struct aws_key_copy){
        .memory = memory_new(bytes, 1), .memory_bytes = bytes, .expires_ms = AWS_KEYS_NEVER_EXPIRE};
    end = copy_out->memory;
    copy_out->keys.access_key_id = key_put(&end, access_key_id);
    copy_out->keys.secret_access_key = key_put(&end, secret_access_key);
    copy_out->keys.session_token = session_token.length > 0 ? key_put(&end, session_token) : NULL;
    return OK;
}

void aws_key_copy_clone(const struct aws_key_copy *copy, struct aws_key_copy *copy_out)
{
    const enum error_code code = aws_key_copy_make(
        str_from(copy->keys.access_key_id), str_from(copy->keys.secret_access_key),
        str_from(copy->keys.session_token), copy_out, NULL);

    assert(!code);
    copy_out->expires_ms = copy->expires_ms;
}

void aws_key_copy_release(struct aws_key_copy *copy)
{
    if (copy->memory) {
        explicit_bzero(copy->memory, copy->memory_bytes);
        free(copy->memory);
    }
    *copy = (struct aws_key_copy){0};
}
