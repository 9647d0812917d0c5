#include <inttypes.h>
#include <stdio.h>

#include "api/call.h"
#include "api/page.h"
#include "api/routes.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "registry/registry.h"

enum { CURSOR_MAX_BYTES = REPOSITORY_MAX_LENGTH + 32 };

/* A page begins behind `MILLISECONDS-SEQUENCE` of the last tag of the page before. */
static enum error_code read_tag_query(struct call *call, struct page *page,
                                      struct tag_detail_query *query, struct error *err)
{
    uint64_t count = 0;
    struct str newest = {0};
    enum error_code code = page_read(call, &page_of_teams, page, err);
    struct str rest = page->after;

    if (!code) {
        code = call_parameter(call, "newest", ABOUT_PAGE, &newest, err);
    }
    if (code) {
        return code;
    }
    if (newest.bytes && (rest.bytes || !str_parse_uint64(newest, &count) || count == 0)) {
        return error_set_about(err, ABOUT_PAGE, ERROR_INVALID,
                               "newest must be a number above 0, without cursor: how many of the "
                               "newest tags to list");
    }
    *query = (struct tag_detail_query){
        .repository = call->repository.name,
        .limit = page->limit,
        .newest = count < INT64_MAX ? (int64_t)count : INT64_MAX,
        .arena = &call->exchange->arena,
    };
    if (rest.bytes && (!page_cut_number(&rest, &query->after_ms) || !rest.bytes ||
                       !page_cut_number(&rest, &query->after_sequence) || rest.bytes)) {
        return page_refuse(page, err);
    }
    return OK;
}

static void add_tags_link(struct call *call, const struct page *wanted,
                          const struct tag_detail_page *page)
{
    char cursor[64];

    if (page->has_more && page->count > 0) {
        const struct tag_detail *const last = &page->tags[page->count - 1];

        (void)snprintf(cursor, sizeof(cursor), "%" PRId64 "-%" PRId64, last->tag.created_ms,
                       last->sequence);
        page_add_link(call, wanted, str_from(cursor));
    }
}

static void write_platforms(struct json_writer *writer, struct str lines)
{
    struct str line;

    json_writer_begin_array(writer);
    while (str_cut(&lines, '\n', &line)) {
        if (line.length > 0) {
            json_writer_string(writer, line);
        }
    }
    json_writer_end_array(writer);
}

static void write_status(struct json_writer *writer, const struct tag_detail *tag)
{
    char marked[CLOCK_ISO_BYTES];

    if (!tag->is_production_ready) {
        return;
    }
    clock_format_iso(tag->marked_ms, marked);
    json_writer_member(writer, "status", str_from("production-ready"));
    json_writer_member(writer, "status_reason", tag->incident_id);
    json_writer_member(writer, "status_received_at", str_from(marked));
}

/* The first eight as the original has them; there is no scanner. Its later clients also show a
 * status and its reason: whether it is ready for production, and what for. */
static void write_tag(struct json_writer *writer, const struct tag_detail *tag)
{
    static const char *const of_scanner[] = {"clair_id", "severity_fix_available",
                                             "severity_no_fix_available", "clair_details"};
    char created[CLOCK_ISO_BYTES];

    clock_format_iso(tag->tag.created_ms, created);
    json_writer_begin_object(writer);
    json_writer_member(writer, "name", tag->tag.name);
    json_writer_member(writer, "created", str_from(created));
    json_writer_member(writer, "created_by", tag->tag.created_by);
    call_write_digest(writer, "image", tag->has_config ? &tag->config : NULL);
    for (size_t i = 0; i < ARRAY_LEN(of_scanner); i++) {
        json_writer_name(writer, of_scanner[i]);
        json_writer_null(writer);
    }
    call_write_digest(writer, "digest", &tag->tag.digest);
    json_writer_member_uint64(writer, "size", tag->image_size_bytes);
    json_writer_member(writer, "media_type", tag->media_type);
    json_writer_name(writer, "platforms");
    write_platforms(writer, tag->platforms);
    write_status(writer, tag);
    json_writer_end_object(writer);
}

static enum error_code respond_tags(struct call *call, const struct page *wanted,
                                    const struct tag_detail_page *page, struct error *err)
{
    struct json_writer writer;

    add_tags_link(call, wanted, page);
    json_writer_init(&writer, &call->written);
    json_writer_begin_array(&writer);
    for (size_t i = 0; i < page->count; i++) {
        write_tag(&writer, &page->tags[i]);
    }
    json_writer_end_array(&writer);
    return call_respond_json(call, err);
}

static enum error_code list_tag_details(struct call *call, struct error *err)
{
    struct tag_detail_page page = {0};
    struct tag_detail_query query = {0};
    struct page wanted = {0};
    enum error_code code = read_tag_query(call, &wanted, &query, err);

    if (!code) {
        code = registry_list_tag_details(call->api->config.registry, &query, &page, err);
    }
    return code ? code : respond_tags(call, &wanted, &page, err);
}

static enum error_code get_tag(struct call *call, struct error *err)
{
    struct tag_detail tag = {0};
    struct json_writer writer;
    enum error_code code =
        registry_find_tag_detail(call->api->config.registry, &call->repository,
                                 call->path[PATH_TAG], &call->exchange->arena, &tag, err);

    if (code) {
        return code;
    }
    json_writer_init(&writer, &call->written);
    write_tag(&writer, &tag);
    return call_respond_json(call, err);
}

static void write_image_id(struct json_writer *writer, const char *name,
                           const struct tag_detail *tag)
{
    call_write_digest(writer, name, tag->has_config ? &tag->config : &tag->tag.digest);
}

/* On the first page; not where there are signatures alone. */
static enum error_code write_latest(struct call *call, struct json_writer *writer,
                                    struct error *err)
{
    static const char name[] = "latest";
    struct tag_detail tag = {0};
    const enum error_code code =
        registry_find_tag_detail(call->api->config.registry, &call->repository, str_from(name),
                                 &call->exchange->arena, &tag, err);

    if (!code) {
        write_image_id(writer, name, &tag);
    }
    return code == ERROR_NOT_FOUND ? OK : code;
}

/* What old clients see by whether a tag exists: {"tag":"image id"}, with `latest` among them. */
static enum error_code list_image_ids(struct call *call, struct error *err)
{
    struct tag_detail_page page = {0};
    struct tag_detail_query query = {0};
    struct json_writer writer;
    struct page wanted = {0};
    enum error_code code = read_tag_query(call, &wanted, &query, err);

    if (!code) {
        code = registry_list_tag_details(call->api->config.registry, &query, &page, err);
    }
    if (code) {
        return code;
    }
    add_tags_link(call, &wanted, &page);
    json_writer_init(&writer, &call->written);
    json_writer_begin_object(&writer);
    if (query.after_sequence == 0) {
        code = write_latest(call, &writer, err);
    }
    for (size_t i = 0; i < page.count && !code; i++) {
        const char *const name = arena_text(&call->exchange->arena, page.tags[i].tag.name);

        if (!name) {
            return error_set(err, ERROR_TOO_LARGE, "there are too many tags for one answer");
        }
        write_image_id(&writer, name, &page.tags[i]);
    }
    json_writer_end_object(&writer);
    return code ? code : call_respond_json(call, err);
}

const struct handler artifact_tags_handler = {.begin = list_tag_details};
const struct handler artifact_tag_handler = {.begin = get_tag};
const struct handler image_ids_handler = {.begin = list_image_ids};

/* `SEQUENCE-REPOSITORY` of the last tag of the page before. */
static enum error_code read_image_query(struct call *call, struct page *page,
                                        struct image_query *query, struct error *err)
{
    const enum error_code code = page_read(call, &page_of_teams, page, err);
    struct str rest = page->after;

    query->limit = page->limit;
    if (code || !rest.bytes) {
        return code;
    }
    if (!page_cut_number(&rest, &query->after_sequence) || query->after_sequence == 0 ||
        rest.length == 0) {
        return page_refuse(page, err);
    }
    query->after_repository = rest;
    return OK;
}

static void add_image_link(struct call *call, const struct page *page,
                           const struct image_tag_list *list)
{
    char cursor[CURSOR_MAX_BYTES];

    if (list->has_more && list->count > 0) {
        const struct image_tag *const last = &list->tags[list->count - 1];

        (void)snprintf(cursor, sizeof(cursor), "%" PRId64 "-%.*s", last->sequence,
                       STR_FORMAT(last->repository));
        page_add_link(call, page, str_from(cursor));
    }
}

static void write_image_tag(struct json_writer *writer, const struct image_tag *tag)
{
    struct str artifact = tag->repository;
    struct str team = {0};

    (void)str_cut(&artifact, '/', &team);
    json_writer_begin_object(writer);
    json_writer_member(writer, "name", tag->name);
    json_writer_member(writer, "team", team);
    json_writer_member(writer, "artifact", artifact);
    json_writer_end_object(writer);
}

static enum error_code list_tags_of_image(struct call *call, struct error *err)
{
    struct image_query query = {.prefix = call->path[PATH_IMAGE], .arena = &call->exchange->arena};
    struct image_tag_list list = {0};
    struct json_writer writer;
    struct page page = {0};
    enum error_code code = read_image_query(call, &page, &query, err);

    if (!code) {
        code = registry_list_image_tags(call->api->config.registry, &query, &list, err);
    }
    if (code) {
        return code;
    }
    add_image_link(call, &page, &list);
    json_writer_init(&writer, &call->written);
    json_writer_begin_array(&writer);
    for (size_t i = 0; i < list.count; i++) {
        write_image_tag(&writer, &list.tags[i]);
    }
    json_writer_end_array(&writer);
    return call_respond_json(call, err);
}

const struct handler image_tags_handler = {.begin = list_tags_of_image};
