#pragma once

#include <stdbool.h>

#include "aws/credentials.h"
#include "aws/keys.h"
#include "base/attributes.h"
#include "base/error.h"
#include "base/str.h"
#include "base/strbuf.h"

/* Where aws_credentials looks for keys. For the files of these sources only. */
enum {
    AWS_ORIGIN_BYTES = 256,
    AWS_PATH_MAX_BYTES = 4096,
    AWS_SOURCE_URL_MAX_BYTES = 4096,
    AWS_LINK_LOCAL_TIMEOUT_MS = 2000, /* elsewhere than on AWS nobody answers at these addresses */
    AWS_STATUS_OK = 200,
};

/* Keys that were found; aws_key_copy_release. */
struct aws_found {
    struct aws_key_copy copy;
    char origin[AWS_ORIGIN_BYTES]; /* in plain words, without a secret */
};

/*
 * OK: found_out has keys, whatever their age. ERROR_NOT_FOUND: this source is not set up; the
 * message is short and says why. Other errors: it is, and fails.
 */
typedef enum error_code aws_source(const struct aws_credentials_config *config,
                                   struct aws_found *found_out, struct error *err);

aws_source aws_source_environment;
aws_source aws_source_file;
aws_source aws_source_web_identity;
aws_source aws_source_container;
aws_source aws_source_instance;

/* The variable's value; NULL if it is not set or empty. */
const char *aws_source_variable(const struct aws_credentials_config *config, const char *name);

/*
 * Appends a file's bytes; nothing beyond the limit of text. ERROR_NOT_FOUND: there is none.
 * ERROR_DENIED: it may not be read. ERROR_INVALID: it is no regular file, or longer.
 */
MUST_USE enum error_code aws_source_read_file(const char *path, struct strbuf *text,
                                              struct error *err);

/* What a file or an answer of one line says, without white space at its ends; borrowed. */
struct str aws_source_first_line(const struct strbuf *text);

/* Not empty, printable, and not longer than a token. */
bool aws_source_is_header_value(struct str value);

/* Asks for keys that come as JSON; `who` answers, for messages. ERROR_UNAVAILABLE: there are none.
 */
MUST_USE enum error_code aws_source_ask_keys(const struct aws_credentials_config *config,
                                             const struct outbound_request *request,
                                             const char *who, struct aws_key_copy *copy_out,
                                             struct error *err);

/*
 * The keys of a profile in AWS's shared credentials file ("Shared config and credentials files",
 * AWS SDKs and Tools Reference Guide). ERROR_NOT_FOUND: no such profile, or it has no keys.
 * ERROR_INVALID: not such a file, or keys that cannot be right; nothing of them is in the message.
 */
MUST_USE enum error_code aws_credentials_file_parse(struct str text, const char *profile,
                                                    struct aws_key_copy *copy_out,
                                                    struct error *err);

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
