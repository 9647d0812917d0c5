#include "blobs/s3_refusal.h"

#include <string.h>

#include "base/clock.h"

enum { RETRY_AFTER_S = 10 };

static const char *advice(const struct s3_answer *answer);

bool s3_answer_is(const struct s3_answer *answer, const char *error_code)
{
    return strcmp(answer->error_code, error_code) == 0;
}

enum error_code s3_refusal(const struct s3_client *client, const struct s3_request *request,
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
    return error_set(err, code, "%s refuses %s: %d %s: %s%s%.*s", s3_client_name(client),
                     request->method, status, answer->error_code, advice(answer),
                     region.length > 0 && status != 404 ? "; its region is " : "",
                     STR_FORMAT(status != 404 ? region : (struct str){0}));
}

static const char *advice(const struct s3_answer *answer)
{
    static const struct {
        const char *code;
        const char *advice;
    } table[] = {
        {"NoSuchBucket", "create the bucket, or correct storage.s3.bucket or .endpoint"},
        {"AccessDenied", "allow it in the bucket's policy or the role's permissions "
                         "(docs/storage.md lists what is needed)"},
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
        {"InvalidRequest", "see whether the bucket takes the settings of storage.s3"},
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (s3_answer_is(answer, table[i].code)) {
            return table[i].advice;
        }
    }
    return answer->http.status == 403 ? "check credentials and permissions"
                                      : "check the settings of storage.s3";
}

enum error_code s3_refusal_give_up(const struct s3_client *client, const struct s3_answer *answer,
                                   int64_t retry_ms, struct error *err)
{
    const char *reason = answer->error_code[0] != '\0' ? answer->error_code : "no reason";
    const enum error_code code = error_set(
        err, ERROR_UNAVAILABLE,
        "%s answers %d (%s), also after repeating for %lld s: it is overloaded or broken; look at "
        "it, or push less at once",
        s3_client_name(client), answer->http.status, reason, (long long)retry_ms / MS_PER_SECOND);

    if (err) {
        err->retry_after_s = RETRY_AFTER_S;
    }
    return code;
}
