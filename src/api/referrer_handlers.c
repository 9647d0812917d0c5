#include <inttypes.h>
#include <stdio.h>

#include "api/api_private.h"
#include "api/handlers.h"
#include "base/json_writer.h"
#include "registry/manifest_parser.h"
#include "registry/manifests.h"

enum {
    BATCH_REFERRERS = 64, /* read at a time, unless they are too large for that */
    BATCH_ARENA_BYTES = REFERRER_PAGE_BYTES + 2 * MANIFEST_MAX_ANNOTATIONS_BYTES,
    /* Then the page ends: clients take no index larger than a manifest may be, 4 MiB. Some read no
     * other page, so that nothing else ends it early. */
    PAGE_FULL_BYTES = 3 * 1024 * 1024,
    PAGE_MAX_REFERRERS = 10 * 1000,
    CURSOR_BYTES = DIGEST_TEXT_BYTES + 32,
};

static const char index_media_type[] = "application/vnd.oci.image.index.v1+json";

/* A page of the list while it is written. */
struct page {
    struct referrer_query query;
    struct referrer_place last; /* written, or the one to begin behind */
    size_t limit;
    size_t batch_limit;
    size_t count;
    bool has_more;
    struct json_writer writer;
};

static enum error_code list_referrers(struct call *call, bool *wants_body_out, struct error *err);
static enum error_code read_query(struct call *call, struct page *page, struct error *err);
static bool parse_place(struct str text, struct referrer_place *place_out);
static void add_link(struct call *call, const struct page *page);
static enum error_code write_page(struct call *call, struct page *page, struct error *err);
static enum error_code write_batch(struct call *call, struct page *page, struct error *err);
static bool is_full(const struct call *call, const struct page *page);
static void write_referrers(const struct call *call, struct page *page,
                            const struct referrer_page *batch);
static void write_referrer(struct json_writer *writer, const struct referrer *referrer);

const struct handler referrers_handler = {.begin = list_referrers};

static enum error_code list_referrers(struct call *call, bool *wants_body_out, struct error *err)
{
    struct page page = {.batch_limit = BATCH_REFERRERS, .has_more = true};
    enum error_code code = read_query(call, &page, err);

    (void)wants_body_out;
    if (!code) {
        code = write_page(call, &page, err);
    }
    if (code) {
        return code;
    }
    if (page.query.artifact_type.length > 0) {
        http_response_add(&call->exchange->response, "OCI-Filters-Applied",
                          str_from("artifactType"));
    }
    add_link(call, &page);
    return call_answer_written(call, index_media_type, err);
}

static enum error_code read_query(struct call *call, struct page *page, struct error *err)
{
    struct str last = {0};
    enum error_code code = digest_parse(call->path[PATH_DIGEST], &page->query.subject, err);

    page->query.repository = call->repository.name;
    if (!code) {
        code = call_parameter(call, "artifactType", ABOUT_NOTHING, &page->query.artifact_type, err);
    }
    if (!code) {
        code = call_page_size(call, PAGE_MAX_REFERRERS, &page->limit, err);
    }
    if (!code) {
        code = call_parameter(call, "last", ABOUT_PAGE, &last, err);
    }
    if (code || !last.bytes) {
        return code;
    }
    if (!parse_place(last, &page->last)) {
        return error_set_about(err, ABOUT_PAGE, ERROR_INVALID,
                               "last must be one that an answer's Link field has given");
    }
    page->query.after = &page->last;
    return OK;
}

/* `MILLISECONDS-DIGEST`: what comes later stands before it, so that pages stay what they are. */
static bool parse_place(struct str text, struct referrer_place *place_out)
{
    uint64_t created_ms = 0;
    struct str first;

    if (!str_cut(&text, '-', &first) || !str_parse_uint64(first, &created_ms) ||
        created_ms > INT64_MAX || digest_parse(text, &place_out->digest, NULL)) {
        return false;
    }
    place_out->created_ms = (int64_t)created_ms;
    return true;
}

static void add_link(struct call *call, const struct page *page)
{
    char digest[DIGEST_TEXT_BYTES];
    char cursor[CURSOR_BYTES];

    if (page->has_more && page->count > 0) {
        digest_format(&page->last.digest, digest);
        (void)snprintf(cursor, sizeof(cursor), "%" PRId64 "-%s", page->last.created_ms, digest);
        call_add_next_link(call, page->limit, str_from(cursor), "artifactType",
                           page->query.artifact_type);
    }
}

static enum error_code write_page(struct call *call, struct page *page, struct error *err)
{
    struct json_writer *writer = &page->writer;
    enum error_code code = OK;

    json_writer_init(writer, &call->answer);
    json_writer_begin_object(writer);
    json_writer_member_uint64(writer, "schemaVersion", 2);
    json_writer_member(writer, "mediaType", str_from(index_media_type));
    json_writer_name(writer, "manifests");
    json_writer_begin_array(writer);
    while (!code && page->has_more && !is_full(call, page)) {
        code = write_batch(call, page, err);
    }
    json_writer_end_array(writer);
    json_writer_end_object(writer);
    return code;
}

static bool is_full(const struct call *call, const struct page *page)
{
    return page->count == page->limit || call->answer.length >= PAGE_FULL_BYTES;
}

static enum error_code write_batch(struct call *call, struct page *page, struct error *err)
{
    const size_t left = page->limit - page->count;
    struct referrer_page batch = {0};
    struct arena arena;
    enum error_code code = OK;

    arena_init(&arena, BATCH_ARENA_BYTES);
    page->query.limit = left < page->batch_limit ? left : page->batch_limit;
    code = registry_list_referrers(call->api->config.registry, &page->query, &arena, &batch, err);
    if (!code) {
        write_referrers(call, page, &batch);
    } else if (code == ERROR_TOO_LARGE && page->batch_limit > 1) {
        page->batch_limit = 1; /* again, one by one */
        code = OK;
    }
    arena_release(&arena);
    return code;
}

static void write_referrers(const struct call *call, struct page *page,
                            const struct referrer_page *batch)
{
    page->has_more = batch->has_more;
    for (size_t i = 0; i < batch->count; i++) {
        if (is_full(call, page)) {
            page->has_more = true;
            return;
        }
        write_referrer(&page->writer, &batch->referrers[i]);
        page->last = (struct referrer_place){batch->referrers[i].created_ms,
                                             batch->referrers[i].manifest.digest};
        page->query.after = &page->last;
        page->count++;
    }
}

static void write_referrer(struct json_writer *writer, const struct referrer *referrer)
{
    char digest[DIGEST_TEXT_BYTES];

    digest_format(&referrer->manifest.digest, digest);
    json_writer_begin_object(writer);
    json_writer_member(writer, "mediaType", referrer->manifest.media_type);
    json_writer_member(writer, "digest", str_from(digest));
    json_writer_member_uint64(writer, "size", referrer->manifest.size_bytes);
    if (referrer->artifact_type.length > 0) {
        json_writer_member(writer, "artifactType", referrer->artifact_type);
    }
    if (referrer->annotations.length > 0) {
        json_writer_name(writer, "annotations");
        json_writer_raw(writer, referrer->annotations);
    }
    json_writer_end_object(writer);
}
