#include <inttypes.h>
#include <stdio.h>

#include "api/api_private.h"
#include "api/handlers.h"
#include "api/team_query.h"
#include "base/json_writer.h"
#include "registry/sources.h"
#include "registry/tags.h"

enum { CURSOR_MAX_BYTES = REPOSITORY_MAX_LENGTH + 32 };

static enum error_code count_all(struct call *call, bool *wants_body_out, struct error *err);
static enum error_code count_team(struct call *call, bool *wants_body_out, struct error *err);
static void write_team(struct json_writer *writer, const struct team_statistics *statistics);
static enum error_code count_teams(struct call *call, bool *wants_body_out, struct error *err);
static enum error_code write_teams(struct call *call, const struct name_page *page,
                                   struct error *err);
static enum error_code list_image_tags(struct call *call, bool *wants_body_out, struct error *err);
static enum error_code read_cursor(struct call *call, struct image_query *query, struct error *err);
static void add_link(struct call *call, const struct image_query *query,
                     const struct image_tag_list *list);
static void write_image_tag(struct json_writer *writer, const struct image_tag *tag);

const struct handler statistics_handler = {.begin = count_all};
const struct handler team_statistics_handler = {.begin = count_team};
const struct handler all_team_statistics_handler = {.begin = count_teams};
const struct handler image_tags_handler = {.begin = list_image_tags};

static enum error_code count_all(struct call *call, bool *wants_body_out, struct error *err)
{
    struct registry_statistics statistics;
    struct json_writer writer;
    const enum error_code code = registry_count_all(call->api->config.registry, &statistics, err);

    (void)wants_body_out;
    if (code) {
        return code;
    }
    json_writer_init(&writer, &call->answer);
    json_writer_begin_object(&writer);
    json_writer_member_uint64(&writer, "teams", statistics.teams);
    json_writer_member_uint64(&writer, "storage", statistics.storage_bytes);
    json_writer_end_object(&writer);
    return call_answer_written(call, "application/json", err);
}

static enum error_code count_team(struct call *call, bool *wants_body_out, struct error *err)
{
    struct team_statistics statistics;
    struct json_writer writer;
    const enum error_code code =
        registry_count_team(call->api->config.registry, call->path[PATH_TEAM], &statistics, err);

    (void)wants_body_out;
    if (code) {
        return code;
    }
    json_writer_init(&writer, &call->answer);
    write_team(&writer, &statistics);
    return call_answer_written(call, "application/json", err);
}

static void write_team(struct json_writer *writer, const struct team_statistics *statistics)
{
    json_writer_begin_object(writer);
    json_writer_member_uint64(writer, "artifacts", statistics->artifacts);
    json_writer_member_uint64(writer, "tags", statistics->tags);
    json_writer_end_object(writer);
}

static enum error_code count_teams(struct call *call, bool *wants_body_out, struct error *err)
{
    struct name_page page = {0};
    struct name_query query = {0};
    enum error_code code = team_query_read(call, &query, err);

    (void)wants_body_out;
    if (!code) {
        code = registry_list_teams(call->api->config.registry, &query, &page, err);
    }
    if (code) {
        return code;
    }
    team_query_add_link(call, &query, &page);
    code = write_teams(call, &page, err);
    return code ? code : call_answer_written(call, "application/json", err);
}

static enum error_code write_teams(struct call *call, const struct name_page *page,
                                   struct error *err)
{
    struct json_writer writer;
    enum error_code code = OK;

    json_writer_init(&writer, &call->answer);
    json_writer_begin_array(&writer);
    for (size_t i = 0; i < page->count && !code; i++) {
        struct team_statistics statistics = {0};

        code = registry_count_team(call->api->config.registry, page->names[i], &statistics, err);
        json_writer_begin_object(&writer);
        json_writer_member(&writer, "team", page->names[i]);
        json_writer_name(&writer, "stats");
        write_team(&writer, &statistics);
        json_writer_end_object(&writer);
    }
    json_writer_end_array(&writer);
    return code;
}

static enum error_code list_image_tags(struct call *call, bool *wants_body_out, struct error *err)
{
    struct image_query query = {.prefix = call->path[PATH_IMAGE], .arena = &call->exchange->arena};
    struct image_tag_list list = {0};
    struct json_writer writer;
    enum error_code code = team_query_limit(call, &query.limit, err);

    (void)wants_body_out;
    if (!code) {
        code = read_cursor(call, &query, err);
    }
    if (!code) {
        code = registry_list_image_tags(call->api->config.registry, &query, &list, err);
    }
    if (code) {
        return code;
    }
    add_link(call, &query, &list);
    json_writer_init(&writer, &call->answer);
    json_writer_begin_array(&writer);
    for (size_t i = 0; i < list.count; i++) {
        write_image_tag(&writer, &list.tags[i]);
    }
    json_writer_end_array(&writer);
    return call_answer_written(call, "application/json", err);
}

/* `SEQUENCE-REPOSITORY` of the last tag of the page before. */
static enum error_code read_cursor(struct call *call, struct image_query *query, struct error *err)
{
    uint64_t sequence = 0;
    struct str rest;
    struct str first;
    const enum error_code code = call_parameter(call, "cursor", ABOUT_PAGE, &rest, err);

    if (code || !rest.bytes) {
        return code;
    }
    if (!str_cut(&rest, '-', &first) || !str_parse_uint64(first, &sequence) || sequence == 0 ||
        sequence > INT64_MAX || rest.length == 0) {
        return error_set_about(err, ABOUT_PAGE, ERROR_INVALID,
                               "cursor must be one that an answer's Link field has given");
    }
    query->after_repository = rest;
    query->after_sequence = (int64_t)sequence;
    return OK;
}

static void add_link(struct call *call, const struct image_query *query,
                     const struct image_tag_list *list)
{
    char cursor[CURSOR_MAX_BYTES];

    if (list->has_more && list->count > 0) {
        const struct image_tag *const last = &list->tags[list->count - 1];

        (void)snprintf(cursor, sizeof(cursor), "%" PRId64 "-%.*s", last->sequence,
                       STR_FORMAT(last->repository));
        call_add_cursor_link(call, query->limit, str_from(cursor));
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
