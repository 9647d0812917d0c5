#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/signature.h"
#include "base/error.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "outbound/http_client.h"

/* A request to S3, and what its answer means: whether it was done, passes, or has to be mended. */

enum { S3_ANSWER_MAX_BYTES = 64 * 1024 }; /* documents of S3's are small */

/* Everything borrowed. Pairs end with one without a name. */
struct s3_request {
    const char *method;
    const char *key; /* NULL: the bucket itself */
    const struct aws_pair *query;
    const struct aws_pair *headers; /* names in lower case */
    struct str body;
    const char *body_sha256; /* NULL: not known yet */
    struct strbuf *sink;     /* what takes the body of a success, empty; NULL: the answer does */
    size_t sink_bytes;       /* how many it must be */
    const char *result;      /* an element without which a success is none; NULL: not looked for */
    bool is_quick;           /* one attempt, and not a long one: somebody comes again */
};

/* An answer with what its error says. */
struct s3_answer {
    struct outbound_answer http;
    char error_code[64]; /* of S3's error document, or that there is no result, or empty */
};

/* Reads error_code, behind an answer that came. */
void s3_answer_read(const struct s3_request *request, struct s3_answer *answer);
void s3_answer_release(struct s3_answer *answer);

/* Whether S3's error document has that code. */
bool s3_answer_is(const struct s3_answer *answer, const char *error_code);

/* Whether the same request may be answered otherwise a moment later. */
bool s3_answer_is_retryable(const struct s3_answer *answer);

/*
 * What S3's refusal means, in plain words: what to set, to allow or to wait for. ERROR_NOT_FOUND:
 * there is no such key or upload. ERROR_NO_SPACE. ERROR_UNAVAILABLE for all that an operator has to
 * mend: nothing is wrong with what the registry's client did.
 */
enum error_code s3_answer_refusal(const char *client_name, const struct s3_request *request,
                                  const struct s3_answer *answer, struct error *err);

/* ERROR_UNAVAILABLE, with a time to come back: that answer came again and again for retry_ms. */
enum error_code s3_answer_exhausted(const char *client_name, const struct s3_answer *answer,
                                    int64_t retry_ms, struct error *err);
