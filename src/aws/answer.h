#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "aws/keys.h"
#include "base/attributes.h"
#include "base/error.h"
#include "base/str.h"

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
