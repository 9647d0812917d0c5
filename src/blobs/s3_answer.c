#include "blobs/s3_answer.h"

#include <stdio.h>
#include <string.h>

#include "aws/xml.h"
#include "base/clock.h"

enum { RETRY_AFTER_S = 10 };

/* In place of an error's code: a success that does not tell what came of it. */
static const char no_result[] = "without its result";
static const char wrong_length[] = "of another length";

/*
 * Of a success only where it may be none: what a GET brings is a blob, whatever it looks like. 200
 * and spaces come while S3 is at work; how it went is told by the document that follows.
 */
void s3_answer_read(const struct s3_request *request, struct s3_answer *answer)
{
    const struct str body = strbuf_str(&answer->http.body);
    const bool is_document = answer->http.status >= 300 || strcmp(request->method, "POST") == 0;
    const char *code = "";
    CLEANUP(strbuf_release) struct strbuf text;

    strbuf_init(&text, S3_ANSWER_MAX_BYTES);
    if (is_document && body.length <= S3_ANSWER_MAX_BYTES && aws_xml_text(body, "Code", &text)) {
        code = text.text;
    } else if (request->result && answer->http.status == 200 &&
               !aws_xml_text(body, request->result, &text)) {
        code = no_result;
    } else if (request->sink && answer->http.status >= 200 && answer->http.status < 300 &&
               request->sink->length != request->sink_bytes) {
        code = wrong_length;
    }
    (void)snprintf(answer->error_code, sizeof(answer->error_code), "%s", code);
}

void s3_answer_release(struct s3_answer *answer)
{
    outbound_answer_release(&answer->http);
}

bool s3_answer_is(const struct s3_answer *answer, const char *error_code)
{
    return strcmp(answer->error_code, error_code) == 0;
}

/*
 * S3's own advice is to repeat these; CompleteMultipartUpload may begin with 200 and then fail.
 * What was damaged on its way (its hash is wrong there) may be right the next time. KMS and others
 * behind S3 have words of their own for too much.
 */
static bool is_passing_code(const struct s3_answer *answer)
{
    static const char *const codes[] = {
        "InternalError",
        "SlowDown",
        "ServiceUnavailable",
        "RequestTimeout",
        "OperationAborted",
        "ConditionalRequestConflict",
        "BadDigest",
        "XAmzContentSHA256Mismatch",
        "IncompleteBody",
        "ThrottlingException",
        "Throttling",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "KMS.ThrottlingException",
        no_result,
        wrong_length,
    };

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (s3_answer_is(answer, codes[i])) {
            return true;
        }
    }
    return false;
}

bool s3_answer_is_retryable(const struct s3_answer *answer)
{
    switch (answer->http.status) {
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
        return true;
    default:
        return is_passing_code(answer);
    }
}

static const char *advice(const struct s3_answer *answer)
{
    static const struct {
        const char *code;
        const char *advice;
    } table[] = {
        {"NoSuchBucket", "create the bucket, or correct storage.s3.bucket or .endpoint"},
        {"AccessDenied", "allow it in the bucket's policy or the role's permissions "
                         "(docs/storage.md lists what is needed, for a KMS key, too)"},
        {"InvalidAccessKeyId", "the access key is unknown there: correct the credentials"},
        {"SignatureDoesNotMatch", "the secret key is wrong: correct the credentials"},
        {"ExpiredToken", "the session token is too old: renew the credentials"},
        {"InvalidToken", "the session token is wrong: correct the credentials"},
        {"RequestTimeTooSkewed", "this machine's clock is wrong: set it"},
        {"AuthorizationHeaderMalformed", "storage.s3.region is not the bucket's"},
        {"PermanentRedirect", "the bucket is in another region: correct storage.s3.region"},
        {"QuotaExceeded", "the bucket's quota is used up: raise it"},
        {"NoSuchUpload", "the upload is finished, aborted or expired"},
        {"NoSuchKey", "there is no such object"},
        {"InvalidPart", "the upload's parts are not what they were"},
        {"KMS.DisabledException", "the KMS key is disabled: enable it"},
        {"KMS.KMSInvalidStateException", "the KMS key is being deleted, or not ready: mend it"},
        {"KMS.NotFoundException", "there is no such KMS key: correct storage.s3.kms_key"},
        {"KMS.InvalidKeyUsageException", "the KMS key cannot encrypt: correct storage.s3.kms_key"},
        {"InvalidRequest", "see whether the bucket takes the settings of storage.s3"},
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (s3_answer_is(answer, table[i].code)) {
            return table[i].advice;
        }
    }
    if (str_starts_with(str_from(answer->error_code), "KMS.")) {
        return "look at the KMS key (storage.s3.kms_key) and at what its policy allows";
    }
    return answer->http.status == 403 ? "check credentials and permissions"
                                      : "check the settings of storage.s3";
}

enum error_code s3_answer_refusal(const char *client_name, const struct s3_request *request,
                                  const struct s3_answer *answer, struct error *err)
{
    const struct str region = outbound_answer_field(&answer->http, "x-amz-bucket-region");
    const int status = answer->http.status;
    enum error_code code = ERROR_UNAVAILABLE;

    if (s3_answer_is(answer, "NoSuchKey") || s3_answer_is(answer, "NoSuchUpload") ||
        s3_answer_is(answer, "InvalidPart") || (status == 404 && answer->error_code[0] == '\0')) {
        code = ERROR_NOT_FOUND;
    } else if (status == 507 || s3_answer_is(answer, "QuotaExceeded") ||
               s3_answer_is(answer, "XMinioStorageFull")) {
        code = ERROR_NO_SPACE;
    }
    return error_set(err, code, "%s refuses %s: %d %s: %s%s%.*s", client_name, request->method,
                     status, answer->error_code, advice(answer),
                     region.length > 0 && status != 404 ? "; its region is " : "",
                     STR_FORMAT(status != 404 ? region : (struct str){0}));
}

enum error_code s3_answer_exhausted(const char *client_name, const struct s3_answer *answer,
                                    int64_t retry_ms, struct error *err)
{
    const char *reason = answer->error_code[0] != '\0' ? answer->error_code : "no reason";
    const enum error_code code = error_set(
        err, ERROR_UNAVAILABLE,
        "%s answers %d (%s), also after repeating for %lld s: it is overloaded or broken; look at "
        "it, or push less at once",
        client_name, answer->http.status, reason, (long long)retry_ms / MS_PER_SECOND);

    if (err) {
        err->retry_after_s = RETRY_AFTER_S;
    }
    return code;
}
