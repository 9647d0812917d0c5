#include "blobs/s3_check.h"

#include <stdio.h>
#include <string.h>

#include "aws/xml.h"
#include "base/random.h"

enum { ANSWER_TEXT_BYTES = 100 };

static const struct str content = STR_LITERAL("written by pieroned --check-config\n");

static enum error_code ask_bucket(const struct s3_objects *objects, const char *question,
                                  struct s3_answer *answer, struct error *err)
{
    /* What no permission mends. */
    static const char *const hopeless[] = {"NoSuchBucket", "InvalidAccessKeyId",
                                           "SignatureDoesNotMatch"};
    const struct aws_pair query[] = {{str_from(question), STR_LITERAL("")}, {{0}, {0}}};
    const struct s3_request request = {.method = "GET", .query = query};
    enum error_code code = s3_client_send(objects->client, &request, answer, err);

    for (size_t i = 0; i < ARRAY_LEN(hopeless) && !code; i++) {
        if (s3_answer_is(answer, hopeless[i])) {
            code = s3_answer_refusal(s3_client_name(objects->client), &request, answer, err);
        }
    }
    return code;
}

/* Whether it locks what nobody asks it to lock. */
static bool report_lock(struct str xml, struct strbuf *report)
{
    static const struct {
        const char *element;
        const char *unit;
    } units[] = {{"Days", "days"}, {"Years", "years"}};
    struct strbuf mode;
    bool has_default = false;

    strbuf_init(&mode, ANSWER_TEXT_BYTES);
    has_default = aws_xml_text(xml, "Mode", &mode);
    if (has_default) {
        strbuf_append_format(report, "storage: Object Lock: yes, by default %s", mode.text);
    } else {
        strbuf_append_text(report, "storage: Object Lock: yes, without a default retention");
    }
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        strbuf_clear(&mode);
        if (aws_xml_text(xml, units[i].element, &mode)) {
            strbuf_append_format(report, " for %s %s", mode.text, units[i].unit);
        }
    }
    strbuf_append_text(report, "\n");
    strbuf_release(&mode);
    return has_default;
}

static enum error_code check_lock(const struct s3_objects *objects, bool is_locking,
                                  bool has_default, struct error *err)
{
    if (is_locking && !has_default && objects->style.lock_mode == S3_LOCK_BUCKET) {
        return error_set(err, ERROR_INVALID,
                         "storage.s3.object_lock.mode is bucket, but %s has no default retention, "
                         "so that nothing would be locked: give it one, or set the mode to "
                         "governance or compliance",
                         s3_client_name(objects->client));
    }
    if (is_locking || objects->style.lock_mode == S3_LOCK_NONE) {
        return OK;
    }
    return error_set(err, ERROR_INVALID,
                     "storage.s3.object_lock.mode is set, but %s has no Object Lock: create a "
                     "bucket with it",
                     s3_client_name(objects->client));
}

static enum error_code ask_lock(const struct s3_objects *objects, struct strbuf *report,
                                struct error *err)
{
    struct s3_answer answer;
    enum error_code code = ask_bucket(objects, "object-lock", &answer, err);
    const struct str body = strbuf_str(&answer.http.body);
    const bool is_locking =
        answer.http.status == 200 && aws_xml_is(body, "ObjectLockEnabled", "Enabled");
    bool has_default = false;

    if (!code && is_locking) {
        has_default = report_lock(body, report);
    } else if (!code) {
        strbuf_append_text(report, answer.http.status == 403
                                       ? "storage: Object Lock: unknown: allow "
                                         "s3:GetBucketObjectLockConfiguration to see it\n"
                                       : "storage: Object Lock: no\n");
    }
    if (!code && answer.http.status != 403) {
        code = check_lock(objects, is_locking, has_default, err);
    }
    s3_answer_release(&answer);
    return code;
}

static enum error_code try_reading(const struct s3_objects *objects, const char *key,
                                   struct error *err)
{
    const struct blob_part all = {0, content.length};
    struct strbuf bytes;
    enum error_code code = OK;

    strbuf_init(&bytes, content.length);
    code = s3_objects_read(objects, key, &all, &bytes, err);
    if (!code && !str_equal(strbuf_str(&bytes), content)) {
        code = error_set(err, ERROR_UNAVAILABLE, "%s gives other bytes back than it was given",
                         s3_client_name(objects->client));
    }
    strbuf_release(&bytes);
    return code;
}

/* The same bytes once more, so that it does no harm where the condition is not known. */
static enum error_code try_condition(const struct s3_objects *objects, const char *key,
                                     struct strbuf *report, struct error *err)
{
    const struct aws_pair headers[] = {{STR_LITERAL("if-none-match"), STR_LITERAL("*")},
                                       {{0}, {0}}};
    const struct s3_request request = {
        .method = "PUT", .key = key, .headers = headers, .body = content};
    struct s3_answer answer;
    const enum error_code code = s3_client_send(objects->client, &request, &answer, err);

    if (!code && answer.http.status == 412) {
        strbuf_append_text(report, "storage: conditional writes: yes, the bucket itself refuses to "
                                   "write an object twice\n");
    } else if (!code) {
        strbuf_append_text(report, "storage: conditional writes: no; a request that is "
                                   "repeated may write an object twice, with the same bytes\n");
    }
    s3_answer_release(&answer);
    return code;
}

static enum error_code try_parts(const struct s3_objects *objects, const char *key,
                                 struct error *err)
{
    struct s3_notes notes;
    enum error_code code = OK;

    s3_notes_init(&notes);
    memcpy(notes.key, key, strlen(key) + 1); /* it makes no object */
    code = s3_objects_begin(objects, &notes, err);
    if (!code) {
        code = s3_objects_abort(objects, &notes, err);
    }
    s3_notes_release(&notes);
    return code;
}

static enum error_code ask_versioning(const struct s3_objects *objects, struct strbuf *report,
                                      struct error *err)
{
    struct s3_answer answer;
    const enum error_code code = ask_bucket(objects, "versioning", &answer, err);
    const struct str body = strbuf_str(&answer.http.body);
    const char *text = "unknown: allow s3:GetBucketVersioning to see it";

    if (answer.http.status == 200) {
        text = aws_xml_is(body, "Status", "Enabled")
                   ? "on: what others overwrite or delete can be brought back"
                   : "off";
    }
    if (!code) {
        strbuf_append_format(report, "storage: versioning: %s\n", text);
    }
    s3_answer_release(&answer);
    return code;
}

/* Requests are signed by S3's clock by now. */
static void report_clock(struct s3_client *client, struct strbuf *report)
{
    const long long skew_s = (long long)s3_client_skew_ms(client) / MS_PER_SECOND;

    if (skew_s != 0) {
        strbuf_append_format(report,
                             "storage: clock: this machine's is %lld s %s that of S3, which counts "
                             "from now on: set it\n",
                             skew_s > 0 ? skew_s : -skew_s, skew_s > 0 ? "behind" : "ahead of");
    }
}

enum error_code s3_check(const struct s3_objects *objects, const char *prefix,
                         struct strbuf *report, struct error *err)
{
    char key[BLOB_KEY_BYTES];
    char id[RANDOM_ID_BYTES];
    enum error_code code = OK;

    random_id(id);
    (void)snprintf(key, sizeof(key), "%scheck/%s", prefix ? prefix : "", id);
    code = ask_lock(objects, report, err);
    if (!code) {
        code = s3_objects_put(objects, key, content, NULL, err);
    }
    if (!code) {
        code = try_reading(objects, key, err);
    }
    if (!code) {
        strbuf_append_text(report, "storage: objects can be written and read\n");
        code = try_condition(objects, key, report, err);
    }
    if (!code) {
        code = try_parts(objects, key, err);
    }
    if (!code) {
        code = ask_versioning(objects, report, err);
    }
    if (!code) {
        report_clock(objects->client, report);
    }
    return code;
}
