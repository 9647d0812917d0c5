#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/error.h"
#include "base/str.h"

/* Credentials of AWS and of all that speak S3. Of printable ASCII without spaces. */
struct aws_keys {
    const char *access_key_id;
    const char *secret_access_key;
    const char *session_token; /* of temporary ones; NULL: none */
};

enum { AWS_KEY_MAX_BYTES = 1024, AWS_TOKEN_MAX_BYTES = 16 * 1024 };

#define AWS_KEYS_NEVER_EXPIRE INT64_MAX

/* Keys that somebody owns: aws_key_copy_release. {0} has none. */
struct aws_key_copy {
    struct aws_keys keys; /* borrowed from memory */
    int64_t expires_ms;   /* wall clock; AWS_KEYS_NEVER_EXPIRE */
    char *memory;
    size_t memory_bytes;
};

/*
 * A copy of keys as they were read somewhere; an empty token is none. ERROR_INVALID, with nothing
 * to release: one is missing, too long or has bytes that no header could carry. The message tells
 * which, and nothing of it.
 */
MUST_USE enum error_code aws_key_copy_make(struct str access_key_id, struct str secret_access_key,
                                           struct str session_token, struct aws_key_copy *copy_out,
                                           struct error *err);

/* Of keys that were copied before. */
void aws_key_copy_clone(const struct aws_key_copy *copy, struct aws_key_copy *copy_out);

/* Wipes it. */
void aws_key_copy_release(struct aws_key_copy *copy);
