#pragma once

#include "aws/keys.h"
#include "base/attributes.h"
#include "base/error.h"
#include "base/str.h"

/*
 * The keys of a profile in AWS's shared credentials file ("Shared config and credentials files",
 * AWS SDKs and Tools Reference Guide). ERROR_NOT_FOUND: no such profile, or it has no keys.
 * ERROR_INVALID: not such a file, or keys that cannot be right; nothing of them is in the message.
 */
MUST_USE enum error_code aws_credentials_file_parse(struct str text, const char *profile,
                                                    struct aws_key_copy *copy_out,
                                                    struct error *err);
