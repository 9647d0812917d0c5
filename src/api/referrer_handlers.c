#include <inttypes.h>
#include <stdio.h>

#include "api/call.h"
#include "api/page.h"
#include "api/routes.h"
#include "registry/manifest_parser.h"
#include "registry/manifests.h"

enum {
    BATCH_REFERRERS = 64, /* read at a time, unless they are too large for that */
    BATCH_ARENA_BYTES = REFERRER_PAGE_BYTES + 2 * MANIFEST_MAX_ANNOTATIONS_BYTES,
    /* Then the page ends: clients take no index larger than a manifest may be, 4 MiB. Some read no
     * other page, so that nothing else ends it early. */
    PAGE_FULL_BYTES = 3 * 1024 * 1024,
    CURSOR_BYTES = DIGEST_TEXT_BYTES + 32,
};

static const struct page_style page_of_referrers = {"n", "last", 10 * 1000, .takes_none = true};

static const char index_media_type[] = "application/vnd.oci.image.index.v1+json";

/* A page of the list while it is written. */
struct referrer_list {
    struct referrer_query query;
    struct referrer_place last; /* written, or the one to begin behind */
    struct page page;
    size_t batch_limit;
    size_t count;
    bool has_more;
    struct json_writer writer;
};

/* `MILLISECONDS-DIGEST`: what comes later stands before it, so that pages stay what they are. */
static bool parse_referrer_position(struct str text, struct referrer_place *place_out)
{
    return page_cut_number(&text, &place_out->created_ms) &&
           !digest_parse(text, &place_out->digest, NULL);
}

static enum error_code read_query(struct call *call, struct referrer_list *list, struct error *err)
{
    enum error_code code = digest_parse(call->path[PATH_DIGEST], &list->query.subject, err);

    list->query.repository = call->repository.name;
    if (!code) {
        code = call_parameter(call, "artifactType", ABOUT_NOTHING, &list->query.artifact_type, err);
    }
    if (!code) {
        code = page_read(call, &page_of_referrers, &list->page, err);
    }
    if (code || !list->page.after.bytes) {
        return code;
    }
    if (!parse_referrer_position(list->page.after, &list->last)) {
        return page_refuse(&list->page, err);
    }
    list->query.after = &list->last;
    return OK;
}

static bool list_is_full(const struct call *call, const struct referrer_list *list)
{
    return list->count == list->page.limit || call->written.length >= PAGE_FULL_BYTES;
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

static void write_referrers(const struct call *call, struct referrer_list *list,
                            const struct referrer_page *batch)
{
    list->has_more = batch->has_more;
    for (size_t i = 0; i < batch->count; i++) {
        if (list_is_full(call, list)) {
            list->has_more = true;
            return;
        }
        write_referrer(&list->writer, &batch->referrers[i]);
        list->last = (struct referrer_place){batch->referrers[i].created_ms,
                                             batch->referrers[i].manifest.digest};
        list->query.after = &list->last;
        list->count++;
    }
}

static enum error_code write_batch(struct call *call, struct referrer_list *list, struct error *err)
{
    const size_t left = list->page.limit - list->count;
    struct referrer_page batch = {0};
    struct arena arena;
    enum error_code code = OK;

    arena_init(&arena, BATCH_ARENA_BYTES);
    list->query.limit = left < list->batch_limit ? left : list->batch_limit;
    code = registry_list_referrers(call->api->config.registry, &list->query, &arena, &batch, err);
    if (!code) {
        write_referrers(call, list, &batch);
    } else if (code == ERROR_TOO_LARGE && list->batch_limit > 1) {
        list->batch_limit = 1; /* again, one by one */
        code = OK;
    }
    arena_release(&arena);
    return code;
}

static enum error_code write_list(struct call *call, struct referrer_list *list, struct error *err)
{
    struct json_writer *writer = &list->writer;
    enum error_code code = OK;

    json_writer_init(writer, &call->written);
    json_writer_begin_object(writer);
    json_writer_member_uint64(writer, "schemaVersion", 2);
    json_writer_member(writer, "mediaType", str_from(index_media_type));
    json_writer_name(writer, "manifests");
    json_writer_begin_array(writer);
    while (!code && list->has_more && !list_is_full(call, list)) {
        code = write_batch(call, list, err);
    }
    json_writer_end_array(writer);
    json_writer_end_object(writer);
    return code;
}

static void add_referrers_link(struct call *call, const struct referrer_list *list)
{
    char digest[DIGEST_TEXT_BYTES];
    char cursor[CURSOR_BYTES];

    if (list->has_more && list->count > 0) {
        digest_format(&list->last.digest, digest);
        (void)snprintf(cursor, sizeof(cursor), "%" PRId64 "-%s", list->last.created_ms, digest);
        page_add_link_with(call, &list->page, str_from(cursor), "artifactType",
                           list->query.artifact_type);
    }
}

static enum error_code list_referrers(struct call *call, struct error *err)
{
    struct referrer_list list = {.batch_limit = BATCH_REFERRERS, .has_more = true};
    enum error_code code = read_query(call, &list, err);

    if (!code) {
        code = write_list(call, &list, err);
    }
    if (code) {
        return code;
    }
    if (list.query.artifact_type.length > 0) {
        http_response_add(&call->exchange->response, "OCI-Filters-Applied",
                          str_from("artifactType"));
    }
    add_referrers_link(call, &list);
    return call_respond_written(call, index_media_type, err);
}

const struct handler referrers_handler = {.begin = list_referrers};
