#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/error.h"
#include "base/str.h"
#include "blobs/aws_keys.h"

/*
 * Reading what AWS's services answer when asked for credentials. Strict; ERROR_INVALID says what
 * is wrong with an answer, without anything of a key.
 */

/* The JSON of the container's and the instance's metadata service. */
MUST_USE enum error_code aws_answer_read_json(struct str text, struct aws_key_copy *copy_out,
                                              struct error *err);

/* The XML of the token service (STS): its one `Credentials` element. */
MUST_USE enum error_code aws_answer_read_xml(struct str text, struct aws_key_copy *copy_out,
                                             struct error *err);

/* The error code in an XML answer (`AccessDenied`), of letters, digits and dots; else empty. */
struct str aws_answer_error_code(struct str text);

/* `2015-05-07T15:49:51Z`, with or without fractions of a second, as milliseconds since 1970. */
MUST_USE bool aws_answer_time(struct str text, int64_t *wall_ms_out);
