#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "blobs/s3_client.h"

/* Whether S3's error document has that code. */
bool s3_answer_is(const struct s3_answer *answer, const char *error_code);

/*
 * What S3's refusal means, in plain words: what to set, to allow or to wait for. ERROR_NOT_FOUND:
 * there is no such key or upload. ERROR_NO_SPACE. ERROR_UNAVAILABLE for all that an operator has to
 * mend: nothing is wrong with what the registry's client did.
 */
enum error_code s3_refusal(const struct s3_client *client, const struct s3_request *request,
                           const struct s3_answer *answer, struct error *err);

/* That answer came again and again for retry_ms: ERROR_UNAVAILABLE, with a time to come back. */
enum error_code s3_refusal_give_up(const struct s3_client *client, const struct s3_answer *answer,
                                   int64_t retry_ms, struct error *err);
