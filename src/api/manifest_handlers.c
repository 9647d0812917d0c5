#include "api/call.h"
#include "api/permission.h"
#include "api/routes.h"
#include "base/json_writer.h"
#include "registry/content_cache.h"
#include "registry/manifests.h"
#include "registry/scm_source.h"

enum { DETAIL_MAX_BYTES = 1024, FIRST_PAUSE_MS = 100, PAUSE_MS = 1000 };

/* Exactly as it was pushed: Accept never changes an answer, since another one had another digest.
 */
static void respond_manifest(struct call *call, const struct manifest_record *manifest,
                             bool is_by_digest)
{
    struct http_response *response = &call->exchange->response;

    call_add_digest(call, &manifest->digest);
    call_add_etag(call, &manifest->digest);
    http_response_add(
        response, "Cache-Control",
        str_from(is_by_digest ? "private, max-age=31536000, immutable" : "private, no-cache"));
    if (!call_is_not_modified(call, &manifest->digest)) {
        response->status = 200;
        response->body = manifest->content;
        http_response_add(response, "Content-Type", manifest->media_type);
    }
}

static enum error_code get_manifest(struct call *call, struct error *err)
{
    struct manifest_found found;
    struct reference reference;
    enum error_code code = OK;

    if (reference_parse(call->path[PATH_REFERENCE], &reference, err)) {
        /* What cannot be a reference was never pushed (distribution-spec "Pulling manifests"). */
        return error_set_about(
            err, ABOUT_MANIFEST, ERROR_NOT_FOUND,
            "there is no manifest of this name: it is neither a tag nor a digest");
    }
    code = registry_find_manifest(call->api->config.registry, &call->repository, &reference,
                                  &call->exchange->arena, &found, err);
    if (!code) {
        respond_manifest(call, &found.manifest, reference.is_digest);
    }
    return code;
}

static bool recall_manifest(struct call *call)
{
    struct manifest_record manifest;
    struct reference reference;

    if (reference_parse(call->path[PATH_REFERENCE], &reference, NULL)) {
        return false;
    }
    call->content =
        registry_cached_manifest(call->api->config.registry, &call->repository, &reference);
    if (!call->content) {
        return false;
    }
    manifest = (struct manifest_record){
        .digest = call->content->digest,
        .media_type = call->content->media_type,
        .content = call->content->bytes,
        .size_bytes = call->content->size_bytes,
    };
    respond_manifest(call, &manifest, reference.is_digest);
    return true;
}

static bool has_tag_parameter(const struct call *call, struct str tag)
{
    for (size_t i = 0; i < call->tag_count; i++) {
        if (str_equal(call->tags[i], tag)) {
            return true;
        }
    }
    return false;
}

static enum error_code add_tag_parameter(struct call *call, struct str tag, struct error *err)
{
    const enum error_code code = tag_check(tag, err);

    if (code || has_tag_parameter(call, tag)) {
        return code;
    }
    if (call->tag_count == PUSH_TAGS_MAX) {
        return error_set_about(err, ABOUT_TAG, ERROR_TOO_LARGE,
                               "at most %d tags are pushed at once: push the others with the next "
                               "request",
                               PUSH_TAGS_MAX);
    }
    if (!call->tags) {
        call->tags = arena_new(&call->exchange->arena, PUSH_TAGS_MAX, sizeof(*call->tags));
    }
    if (!call->tags) {
        return error_set(err, ERROR_TOO_LARGE, "the query is too long");
    }
    call->tags[call->tag_count++] = tag;
    return OK;
}

/* A tag cannot be taken back: what is asked for and not done is refused, not ignored. */
static enum error_code read_tag_parameters(struct call *call, bool is_by_digest, struct error *err)
{
    struct str tag;
    size_t position = 0;
    enum error_code code = call_next_parameter(call, "tag", ABOUT_TAG, &position, &tag, err);

    if (!code && tag.bytes && !is_by_digest) {
        return error_set_about(err, ABOUT_TAG, ERROR_INVALID,
                               "the query parameter tag goes with a manifest's digest: push to "
                               "that, with a tag= for each tag");
    }
    while (!code && tag.bytes) {
        code = add_tag_parameter(call, tag, err);
        if (!code) {
            code = call_next_parameter(call, "tag", ABOUT_TAG, &position, &tag, err);
        }
    }
    return code;
}

static enum error_code read_stated_digest(struct call *call, struct error *err)
{
    struct str digest;
    enum error_code code = call_parameter(call, "digest", ABOUT_DIGEST, &digest, err);

    if (!code && digest.bytes) {
        call->has_digest = true;
        code = digest_parse(digest, &call->digest, err);
    }
    return code;
}

/* Somebody who is trusted may say in the request what the image was built from, as URL-encoded
 * JSON, instead of the image. */
static enum error_code read_scm_source_field(struct call *call, struct error *err)
{
    const struct str field = http_request_header(&call->exchange->request, "X-SCM-Source");
    struct arena *const arena = &call->exchange->arena;
    struct scm_source *source = NULL;
    char *decoded = NULL;
    enum error_code code = OK;

    if (!field.bytes) {
        return OK;
    }
    if (call->api->config.authenticator) {
        code = permission_decide(call, ACTION_CLAIM_SCM_SOURCE, call->repository.team, err);
    }
    if (code) {
        return code;
    }
    source = arena_new(arena, 1, sizeof(*source));
    decoded = arena_new(arena, field.length + 1, 1);
    if (!source || !decoded || !http_percent_decode(field, decoded, field.length + 1)) {
        return error_set(err, ERROR_INVALID, "X-SCM-Source must be URL-encoded JSON");
    }
    code = scm_source_parse(str_from(decoded), arena, source, err);
    if (code) {
        err->topic = ABOUT_NOTHING; /* 400: it is the request that is wrong */
        return code;
    }
    call->scm_source = source;
    return OK;
}

static enum error_code manifest_begin_put(struct call *call, struct error *err)
{
    const struct http_request *request = &call->exchange->request;
    struct reference reference;
    enum error_code code = reference_parse(call->path[PATH_REFERENCE], &reference, err);

    if (!code) {
        code = read_tag_parameters(call, reference.is_digest, err);
    }
    if (!code) {
        code = read_stated_digest(call, err);
    }
    if (code) {
        return code;
    }
    if (request->framing == HTTP_SIZED_BODY && request->content_length > call->body.limit_bytes) {
        return error_set_about(err, ABOUT_MANIFEST, ERROR_TOO_LARGE,
                               "a manifest has at most %zu bytes", call->body.limit_bytes);
    }
    if (!http_request_header(request, "Content-Type").bytes) {
        return error_set_about(err, ABOUT_MANIFEST, ERROR_INVALID,
                               "the Content-Type is missing: the media type of the manifest");
    }
    call->wants_body = true;
    return read_scm_source_field(call, err);
}

/* JSON that has no room is left out, as null. */
static struct str in_arena(struct call *call, const struct strbuf *buf)
{
    const struct str copy = arena_copy(&call->exchange->arena, strbuf_str(buf));

    return copy.bytes ? copy : str_from("null");
}

static void add_conflict(struct call *call, const struct manifest_receipt *receipt)
{
    struct str *detail = arena_new(&call->exchange->arena, 1, sizeof(*detail));
    struct json_writer writer;
    struct strbuf buf;

    if (!detail) {
        return;
    }
    strbuf_init(&buf, DETAIL_MAX_BYTES);
    json_writer_init(&writer, &buf);
    json_writer_begin_object(&writer);
    /* "Tag" as the clients of the original server know it. */
    json_writer_member(&writer, "Tag", receipt->refused_tag);
    call_write_digest(&writer, "existing", &receipt->existing);
    call_write_digest(&writer, "refused", &receipt->refused);
    json_writer_end_object(&writer);
    *detail = in_arena(call, &buf);
    strbuf_release(&buf);
    call->details = detail;
    call->detail_count = 1;
}

/* One error for each digest that was not pushed. */
static void add_missing(struct call *call, const struct manifest_receipt *receipt)
{
    struct str *details =
        arena_new(&call->exchange->arena, receipt->missing_count, sizeof(*details));
    struct json_writer writer;
    struct strbuf buf;

    if (!details) {
        return; /* the message alone tells the first one */
    }
    strbuf_init(&buf, DETAIL_MAX_BYTES);
    for (size_t i = 0; i < receipt->missing_count; i++) {
        strbuf_clear(&buf);
        json_writer_init(&writer, &buf);
        json_writer_begin_object(&writer);
        call_write_digest(&writer, "digest", &receipt->missing[i]);
        json_writer_end_object(&writer);
        details[i] = in_arena(call, &buf);
    }
    strbuf_release(&buf);
    call->details = details;
    call->detail_count = receipt->missing_count;
}

static void add_push_details(struct call *call, const struct manifest_receipt *receipt)
{
    if (receipt->has_existing) {
        add_conflict(call, receipt);
    } else if (receipt->missing_count > 0) {
        add_missing(call, receipt);
    }
}

static void respond_pushed(struct call *call, const struct manifest_receipt *receipt)
{
    struct http_response *response = &call->exchange->response;
    char text[DIGEST_TEXT_BYTES];

    digest_format(&receipt->digest, text);
    http_response_add_format(response, "Location", "/v2/%.*s/manifests/%s",
                             STR_FORMAT(call->repository.name), text);
    call_add_digest(call, &receipt->digest);
    if (receipt->has_subject) {
        digest_format(&receipt->subject, text);
        http_response_add(response, "OCI-Subject", str_from(text));
    }
    for (size_t i = 0; i < call->tag_count; i++) {
        http_response_add(response, "OCI-Tag", call->tags[i]);
    }
    call_respond(call, 201);
}

static enum error_code push_manifest(struct call *call, struct error *err)
{
    struct manifest_upload upload = {
        .repository = call->repository,
        .tags = call->tags,
        .tag_count = call->tag_count,
        .stated = call->has_digest ? &call->digest : NULL,
        .media_type = http_request_header(&call->exchange->request, "Content-Type"),
        .content = strbuf_str(&call->body),
        .identity = call_actor(call),
        .scm_source = call->scm_source,
        .patience = call->queues ? PUSH_GIVES_WAY : PUSH_GIVES_WAY_SOON,
    };
    struct manifest_receipt receipt = {0};
    enum error_code code = reference_parse(call->path[PATH_REFERENCE], &upload.reference, err);

    if (!code) {
        code = registry_push_manifest(call->api->config.registry, &upload, &call->exchange->arena,
                                      &receipt, err);
    }
    call->queues = receipt.has_given_way;
    if (code) {
        add_push_details(call, &receipt);
        return code;
    }
    respond_pushed(call, &receipt);
    return OK;
}

/*
 * docker and podman do not send a manifest again: what fails in passing (the database is failing
 * over, say) is tried again for them. Parked, the call holds no thread.
 */
static bool is_tried_again(struct call *call)
{
    const int64_t now_ms = clock_monotonic_ms(call->api->config.clock);
    const bool is_first = call->next_try_ms == 0;

    if (is_first) {
        call->awaits_until_ms = now_ms + call->api->config.push_patience_ms;
    }
    call->next_try_ms = now_ms + (is_first ? FIRST_PAUSE_MS : PAUSE_MS);
    return call->next_try_ms <= call->awaits_until_ms;
}

static enum error_code manifest_end_put(struct call *call, struct error *err)
{
    const bool is_repeated = call->next_try_ms > 0;
    enum error_code code = ERROR_UNAVAILABLE;

    if (is_repeated && clock_monotonic_ms(call->api->config.clock) < call->next_try_ms) {
        call->queues = true;
        return code;
    }
    code = push_manifest(call, err);
    if (code == ERROR_UNAVAILABLE && !call->queues) {
        call->queues = is_tried_again(call);
    }
    if (code == ERROR_TOO_LARGE && is_repeated) { /* what the tries took of its memory */
        return error_set(err, ERROR_UNAVAILABLE, "the manifest was tried too often: send it again");
    }
    return code;
}

const struct handler manifest_get_handler = {.begin = get_manifest, .recall = recall_manifest};
const struct handler manifest_put_handler = {.begin = manifest_begin_put, .end = manifest_end_put};
