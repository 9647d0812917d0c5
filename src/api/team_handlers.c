#include <inttypes.h>
#include <stdio.h>

#include "api/api_private.h"
#include "api/handlers.h"
#include "api/team_query.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "registry/tags.h"

/* Where a page of tags begins: `MILLISECONDS-SEQUENCE` of the last of the page before. */
struct place {
    int64_t created_ms;
    int64_t sequence;
};

static enum error_code list_teams(struct call *call, bool *wants_body_out, struct error *err);
static enum error_code list_artifacts(struct call *call, bool *wants_body_out, struct error *err);
static enum error_code answer_names(struct call *call, const struct name_query *query,
                                    const struct name_page *page, struct error *err);
static enum error_code list_tags(struct call *call, bool *wants_body_out, struct error *err);
static enum error_code read_tags(struct call *call, struct tag_detail_query *query,
                                 struct error *err);
static bool parse_place(struct str text, struct place *place_out);
static enum error_code answer_tags(struct call *call, const struct tag_detail_query *query,
                                   const struct tag_detail_page *page, struct error *err);
static void add_link(struct call *call, const struct tag_detail_query *query,
                     const struct tag_detail_page *page);
static enum error_code get_tag(struct call *call, bool *wants_body_out, struct error *err);
static void write_tag(struct json_writer *writer, const struct tag_detail *tag);
static void write_lines(struct json_writer *writer, struct str lines);
static void write_status(struct json_writer *writer, const struct tag_detail *tag);
static enum error_code list_image_ids(struct call *call, bool *wants_body_out, struct error *err);
static enum error_code write_latest(struct call *call, struct json_writer *writer,
                                    struct error *err);
static void write_image_id(struct json_writer *writer, const char *name,
                           const struct tag_detail *tag);

const struct handler team_list_handler = {.begin = list_teams};
const struct handler artifact_list_handler = {.begin = list_artifacts};
const struct handler artifact_tags_handler = {.begin = list_tags};
const struct handler artifact_tag_handler = {.begin = get_tag};
const struct handler image_ids_handler = {.begin = list_image_ids};

static enum error_code list_teams(struct call *call, bool *wants_body_out, struct error *err)
{
    struct name_page page = {0};
    struct name_query query = {0};
    enum error_code code = team_query_read(call, &query, err);

    (void)wants_body_out;
    if (!code) {
        code = registry_list_teams(call->api->config.registry, &query, &page, err);
    }
    return code ? code : answer_names(call, &query, &page, err);
}

static enum error_code list_artifacts(struct call *call, bool *wants_body_out, struct error *err)
{
    struct name_page page = {0};
    struct name_query query = {0};
    enum error_code code = team_query_read(call, &query, err);

    (void)wants_body_out;
    query.repository = call->path[PATH_TEAM];
    if (!code) {
        code = registry_list_artifacts(call->api->config.registry, &query, &page, err);
    }
    return code ? code : answer_names(call, &query, &page, err);
}

static enum error_code answer_names(struct call *call, const struct name_query *query,
                                    const struct name_page *page, struct error *err)
{
    struct json_writer writer;

    team_query_add_link(call, query, page);
    json_writer_init(&writer, &call->answer);
    json_writer_begin_array(&writer);
    for (size_t i = 0; i < page->count; i++) {
        json_writer_string(&writer, page->names[i]);
    }
    json_writer_end_array(&writer);
    return call_answer_written(call, "application/json", err);
}

static enum error_code list_tags(struct call *call, bool *wants_body_out, struct error *err)
{
    struct tag_detail_page page = {0};
    struct tag_detail_query query = {0};
    enum error_code code = read_tags(call, &query, err);

    (void)wants_body_out;
    if (!code) {
        code = registry_list_tag_details(call->api->config.registry, &query, &page, err);
    }
    return code ? code : answer_tags(call, &query, &page, err);
}

static enum error_code read_tags(struct call *call, struct tag_detail_query *query,
                                 struct error *err)
{
    struct place place = {0};
    uint64_t count = 0;
    struct str cursor;
    struct str newest;
    enum error_code code = call_parameter(call, "cursor", ABOUT_PAGE, &cursor, err);

    if (!code) {
        code = call_parameter(call, "newest", ABOUT_PAGE, &newest, err);
    }
    if (code) {
        return code;
    }
    if (newest.bytes && (cursor.bytes || !str_parse_uint64(newest, &count) || count == 0)) {
        return error_set_about(err, ABOUT_PAGE, ERROR_INVALID,
                               "newest must be a number above 0, without cursor: how many of the "
                               "newest tags to list");
    }
    if (cursor.bytes && !parse_place(cursor, &place)) {
        return error_set_about(err, ABOUT_PAGE, ERROR_INVALID,
                               "cursor must be one that an answer's Link field has given");
    }
    *query = (struct tag_detail_query){
        .repository = call->repository.name,
        .after_ms = place.created_ms,
        .after_sequence = place.sequence,
        .newest = count < INT64_MAX ? (int64_t)count : INT64_MAX,
        .arena = &call->exchange->arena,
    };
    return team_query_limit(call, &query->limit, err);
}

static bool parse_place(struct str text, struct place *place_out)
{
    uint64_t created_ms = 0;
    uint64_t sequence = 0;
    struct str first;

    if (!str_cut(&text, '-', &first) || !str_parse_uint64(first, &created_ms) ||
        !str_parse_uint64(text, &sequence) || created_ms > INT64_MAX || sequence > INT64_MAX) {
        return false;
    }
    *place_out = (struct place){(int64_t)created_ms, (int64_t)sequence};
    return true;
}

static enum error_code answer_tags(struct call *call, const struct tag_detail_query *query,
                                   const struct tag_detail_page *page, struct error *err)
{
    struct json_writer writer;

    add_link(call, query, page);
    json_writer_init(&writer, &call->answer);
    json_writer_begin_array(&writer);
    for (size_t i = 0; i < page->count; i++) {
        write_tag(&writer, &page->tags[i]);
    }
    json_writer_end_array(&writer);
    return call_answer_written(call, "application/json", err);
}

static void add_link(struct call *call, const struct tag_detail_query *query,
                     const struct tag_detail_page *page)
{
    char cursor[64];

    if (page->has_more && page->count > 0) {
        const struct tag_detail *const last = &page->tags[page->count - 1];

        (void)snprintf(cursor, sizeof(cursor), "%" PRId64 "-%" PRId64, last->tag.created_ms,
                       last->sequence);
        call_add_cursor_link(call, query->limit, str_from(cursor));
    }
}

static enum error_code get_tag(struct call *call, bool *wants_body_out, struct error *err)
{
    struct tag_detail tag = {0};
    struct json_writer writer;
    enum error_code code =
        registry_find_tag_detail(call->api->config.registry, &call->repository,
                                 call->path[PATH_TAG], &call->exchange->arena, &tag, err);

    (void)wants_body_out;
    if (code) {
        return code;
    }
    json_writer_init(&writer, &call->answer);
    write_tag(&writer, &tag);
    return call_answer_written(call, "application/json", err);
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
    team_write_digest(writer, "image", tag->has_config ? &tag->config : NULL);
    for (size_t i = 0; i < ARRAY_LEN(of_scanner); i++) {
        json_writer_name(writer, of_scanner[i]);
        json_writer_null(writer);
    }
    team_write_digest(writer, "digest", &tag->tag.digest);
    json_writer_member_uint64(writer, "size", tag->image_size_bytes);
    json_writer_member(writer, "media_type", tag->media_type);
    json_writer_name(writer, "platforms");
    write_lines(writer, tag->platforms);
    write_status(writer, tag);
    json_writer_end_object(writer);
}

static void write_lines(struct json_writer *writer, struct str lines)
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

/* What old clients see by whether a tag exists: {"tag":"image id"}, with `latest` among them. */
static enum error_code list_image_ids(struct call *call, bool *wants_body_out, struct error *err)
{
    struct tag_detail_page page = {0};
    struct tag_detail_query query = {0};
    struct json_writer writer;
    enum error_code code = read_tags(call, &query, err);

    (void)wants_body_out;
    if (!code) {
        code = registry_list_tag_details(call->api->config.registry, &query, &page, err);
    }
    if (code) {
        return code;
    }
    add_link(call, &query, &page);
    json_writer_init(&writer, &call->answer);
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
    return code ? code : call_answer_written(call, "application/json", err);
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

static void write_image_id(struct json_writer *writer, const char *name,
                           const struct tag_detail *tag)
{
    team_write_digest(writer, name, tag->has_config ? &tag->config : &tag->tag.digest);
}
