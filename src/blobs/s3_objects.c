#include "blobs/s3_objects.h"

#include <stdio.h>
#include <string.h>

#include "aws/xml.h"
#include "base/clock.h"
#include "base/digest.h"
#include "blobs/s3_parts.h"

enum {
    HEADERS_MAX = 10,
    NUMBER_BYTES = 24,
    RANGE_BYTES = 64,
    COMPLETION_MAX_BYTES = 4 * 1024 * 1024, /* 10,000 parts with their numbers and tags */
};

#define MS_PER_DAY (INT64_C(24) * 60 * 60 * 1000)

/* Header fields of a request under way; what they borrow lives here. */
struct fields {
    struct aws_pair pairs[HEADERS_MAX + 1]; /* one more, without a name, ends them */
    size_t count;
    char md5[CHECKSUM_MD5_BYTES];
    char until[CLOCK_ISO_BYTES];
};

enum error_code s3_objects_do(struct s3_client *client, const struct s3_request *request,
                              struct s3_answer *answer_out, struct error *err)
{
    const enum error_code code = s3_client_send(client, request, answer_out, err);
    const int status = answer_out->http.status;

    if (code || (status >= 200 && status < 300 && answer_out->error_code[0] == '\0')) {
        return code;
    }
    return s3_answer_refusal(s3_client_name(client), request, answer_out, err);
}

static void s3_objects_add(struct fields *fields, const char *name, const char *value)
{
    if (value && fields->count < HEADERS_MAX) {
        fields->pairs[fields->count++] = (struct aws_pair){str_from(name), str_from(value)};
    }
}

static void add_style(const struct s3_objects *objects, struct fields *fields)
{
    s3_objects_add(fields, "x-amz-server-side-encryption", objects->style.encryption);
    s3_objects_add(fields, "x-amz-server-side-encryption-aws-kms-key-id", objects->style.kms_key);
    s3_objects_add(fields, "x-amz-storage-class", objects->style.storage_class);
}

static void add_lock(const struct s3_objects *objects, struct fields *fields)
{
    const struct s3_style *style = &objects->style;

    if (style->lock_mode == S3_LOCK_NONE || style->lock_mode == S3_LOCK_BUCKET) {
        return;
    }
    clock_format_iso(clock_wall_ms(objects->clock) + style->lock_days * MS_PER_DAY, fields->until);
    s3_objects_add(fields, "x-amz-object-lock-mode",
                   style->lock_mode == S3_LOCK_GOVERNANCE ? "GOVERNANCE" : "COMPLIANCE");
    s3_objects_add(fields, "x-amz-object-lock-retain-until-date", fields->until);
}

/* S3 takes nothing that it is to lock without it. Otherwise the signed hash of the body does. */
static void add_checksum(const struct s3_objects *objects, struct str body, struct fields *fields)
{
    if (objects->style.lock_mode != S3_LOCK_NONE) {
        checksum_md5(body, fields->md5);
        s3_objects_add(fields, "content-md5", fields->md5);
    }
}

enum error_code s3_objects_put(const struct s3_objects *objects, const char *key, struct str bytes,
                               const char *sha256, struct error *err)
{
    struct fields fields = {0};
    const struct s3_request request = {
        .method = "PUT",
        .key = key,
        .headers = fields.pairs,
        .body = bytes.bytes ? bytes : str_from(""),
        .body_sha256 = sha256,
    };
    struct s3_answer answer;
    enum error_code code = OK;

    s3_objects_add(&fields, "if-none-match", "*");
    add_style(objects, &fields);
    add_lock(objects, &fields);
    add_checksum(objects, bytes, &fields);
    code = s3_client_send(objects->client, &request, &answer, err);
    if (!code && answer.http.status != 200 && answer.http.status != 412) {
        code = s3_answer_refusal(s3_client_name(objects->client), &request, &answer, err);
    }
    s3_answer_release(&answer);
    return code;
}

enum error_code s3_objects_read(const struct s3_objects *objects, const char *key,
                                const struct blob_part *part, struct strbuf *bytes,
                                struct error *err)
{
    struct fields fields = {0};
    const struct s3_request request = {
        .method = "GET",
        .key = key,
        .headers = fields.pairs,
        .sink = bytes,
        .sink_bytes = part->length,
    };
    char range[RANGE_BYTES];
    struct s3_answer answer;
    enum error_code code = OK;

    if (part->length == 0) {
        return OK;
    }
    (void)snprintf(range, sizeof(range), "bytes=%llu-%llu", (unsigned long long)part->offset_bytes,
                   (unsigned long long)(part->offset_bytes + part->length - 1));
    s3_objects_add(&fields, "range", range);
    code = s3_objects_do(objects->client, &request, &answer, err);
    if (!code && bytes->length != part->length) {
        code = error_set(err, ERROR_UNAVAILABLE, "%s: of an object's %s come %zu bytes",
                         s3_client_name(objects->client), range, bytes->length);
    }
    if (code) {
        strbuf_clear(bytes);
    }
    s3_answer_release(&answer);
    return code;
}

/* The answer's UploadId is opaque; it goes into a query, and into a line of the notes. */
enum error_code s3_objects_begin(const struct s3_objects *objects, struct s3_notes *notes,
                                 struct error *err)
{
    static const struct aws_pair query[] = {{STR_LITERAL("uploads"), STR_LITERAL("")}, {{0}, {0}}};
    struct fields fields = {0};
    const struct s3_request request = {
        .method = "POST",
        .key = notes->key,
        .query = query,
        .headers = fields.pairs,
        .body = STR_LITERAL(""),
    };
    struct s3_answer answer;
    struct strbuf id;
    enum error_code code = OK;

    add_style(objects, &fields);
    add_lock(objects, &fields);
    strbuf_init(&id, sizeof(notes->upload_id) - 1);
    code = s3_objects_do(objects->client, &request, &answer, err);
    if (!code &&
        (!aws_xml_text(strbuf_str(&answer.http.body), "UploadId", &id) || id.is_truncated ||
         id.length == 0 || str_index_of(strbuf_str(&id), '\n') < id.length)) {
        code = error_set(err, ERROR_UNAVAILABLE, "%s begins an upload without a usable UploadId",
                         s3_client_name(objects->client));
    }
    if (!code) {
        memcpy(notes->upload_id, id.text, id.length + 1);
    }
    strbuf_release(&id);
    s3_answer_release(&answer);
    return code;
}

static const char *format_number(unsigned number, char text_out[NUMBER_BYTES])
{
    (void)snprintf(text_out, NUMBER_BYTES, "%u", number);
    return text_out;
}

enum error_code s3_objects_put_part(const struct s3_objects *objects,
                                    const struct s3_part_location *location, struct str bytes,
                                    struct s3_part *part_out, struct error *err)
{
    const char *const number = format_number(location->number, (char[NUMBER_BYTES]){0});
    const struct aws_pair query[] = {
        {STR_LITERAL("partNumber"), str_from(number)},
        {STR_LITERAL("uploadId"), str_from(location->upload_id)},
        {{0}, {0}},
    };
    struct fields fields = {0};
    const struct s3_request request = {
        .method = "PUT",
        .key = location->key,
        .query = query,
        .headers = fields.pairs,
        .body = bytes,
    };
    struct s3_answer answer;
    struct str etag;
    enum error_code code = OK;

    add_checksum(objects, bytes, &fields);
    code = s3_objects_do(objects->client, &request, &answer, err);
    etag = outbound_answer_field(&answer.http, "ETag");
    if (!code && (etag.length == 0 || etag.length >= sizeof(part_out->etag))) {
        code = error_set(err, ERROR_UNAVAILABLE, "%s took a part and gave no usable ETag",
                         s3_client_name(objects->client));
    }
    if (!code) {
        memcpy(part_out->etag, etag.bytes, etag.length);
        part_out->etag[etag.length] = '\0';
    }
    s3_answer_release(&answer);
    return code == ERROR_NOT_FOUND ? s3_objects_upload_is_gone(err) : code;
}

enum error_code s3_objects_upload_is_gone(struct error *err)
{
    return error_set_about(err, ABOUT_UPLOAD, ERROR_NOT_FOUND,
                           "the bytes of this upload are gone: begin again");
}

static void append_completion(const struct s3_notes *notes, struct strbuf *xml)
{
    strbuf_append_text(xml, "<CompleteMultipartUpload "
                            "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (size_t i = 0; i < notes->part_count; i++) {
        strbuf_append_format(xml, "<Part><PartNumber>%zu</PartNumber><ETag>", i + 1);
        aws_xml_append(xml, str_from(notes->parts[i].etag));
        strbuf_append_text(xml, "</ETag></Part>");
    }
    strbuf_append_text(xml, "</CompleteMultipartUpload>");
}

enum error_code s3_objects_complete(const struct s3_objects *objects, const struct s3_notes *notes,
                                    struct error *err)
{
    const struct aws_pair query[] = {
        {STR_LITERAL("uploadId"), str_from(notes->upload_id)},
        {{0}, {0}},
    };
    struct fields fields = {0};
    CLEANUP(strbuf_release) struct strbuf xml;
    struct s3_request request = {.method = "POST",
                                 .key = notes->key,
                                 .query = query,
                                 .headers = fields.pairs,
                                 .result = "ETag"};
    struct s3_answer answer;
    enum error_code code = OK;

    strbuf_init(&xml, COMPLETION_MAX_BYTES);
    append_completion(notes, &xml);
    request.body = strbuf_str(&xml);
    s3_objects_add(&fields, "if-none-match", "*");
    code = s3_client_send(objects->client, &request, &answer, err);
    if (!code && (answer.http.status != 200 || answer.error_code[0] != '\0')) {
        code = answer.http.status == 412
                   ? ERROR_NOT_FOUND
                   : s3_answer_refusal(s3_client_name(objects->client), &request, &answer, err);
    }
    s3_answer_release(&answer);
    return code;
}

enum error_code s3_objects_find_whole(const struct s3_objects *objects,
                                      const struct s3_notes *notes, uint64_t size_bytes,
                                      struct error *err)
{
    const struct s3_request request = {.method = "HEAD", .key = notes->key};
    struct s3_answer answer;
    uint64_t length = 0;
    enum error_code code = s3_objects_do(objects->client, &request, &answer, err);
    const struct str field = outbound_answer_field(&answer.http, "Content-Length");

    if (code == ERROR_NOT_FOUND ||
        (!code && (!str_parse_uint64(field, &length) || length != size_bytes))) {
        code = s3_objects_upload_is_gone(err);
    }
    s3_answer_release(&answer);
    return code;
}

enum error_code s3_objects_delete(const struct s3_objects *objects, const char *key,
                                  bool *is_kept_out, struct error *err)
{
    const struct s3_request request = {.method = "DELETE", .key = key};
    struct s3_answer answer;
    enum error_code code = s3_objects_do(objects->client, &request, &answer, err);

    if (!code) {
        *is_kept_out = str_is(outbound_answer_field(&answer.http, "x-amz-delete-marker"), "true");
    } else if (s3_answer_is(&answer, "NoSuchKey")) {
        *is_kept_out = false;
        code = OK;
    } else if (s3_answer_is(&answer, "AccessDenied")) {
        code = ERROR_DENIED;
    }
    s3_answer_release(&answer);
    return code;
}

enum error_code s3_objects_abort(const struct s3_objects *objects, const struct s3_notes *notes,
                                 struct error *err)
{
    const struct aws_pair query[] = {
        {STR_LITERAL("uploadId"), str_from(notes->upload_id)},
        {{0}, {0}},
    };
    const struct s3_request request = {
        .method = "DELETE", .key = notes->key, .query = query, .is_quick = true};
    struct s3_answer answer;
    const enum error_code code = s3_objects_do(objects->client, &request, &answer, err);

    s3_answer_release(&answer);
    return code == ERROR_NOT_FOUND ? OK : code;
}
