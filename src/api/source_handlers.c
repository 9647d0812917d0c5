#include <inttypes.h>
#include <stdio.h>

#include "api/call.h"
#include "api/page.h"
#include "api/routes.h"
#include "base/clock.h"
#include "base/json_reader.h"
#include "base/json_writer.h"
#include "registry/registry.h"
#include "registry/scm_source.h"

enum { INCIDENT_ID_MAX_BYTES = 256 };

static const char no_scanner[] = "no scanner is configured: there is nothing to check again";

static enum error_code get_source(struct call *call, struct error *err)
{
    char created[CLOCK_ISO_BYTES];
    struct scm_record record = {0};
    struct json_writer writer;
    const enum error_code code =
        registry_find_scm_source(call->api->config.registry, &call->repository,
                                 call->path[PATH_TAG], &call->exchange->arena, &record, err);

    if (code) {
        return code;
    }
    clock_format_iso(record.created_ms, created);
    json_writer_init(&writer, &call->written);
    json_writer_begin_object(&writer);
    json_writer_member(&writer, "url", record.source.url);
    json_writer_member(&writer, "revision", record.source.revision);
    json_writer_member(&writer, "author", record.source.author);
    json_writer_member(&writer, "status", record.source.status);
    json_writer_member(&writer, "created", str_from(created));
    json_writer_end_object(&writer);
    return call_respond_json(call, err);
}

/* A page begins behind the change that its cursor names: by the place that it has for ever. */
static enum error_code read_history(struct call *call, struct page *page,
                                    struct tag_history_query *query_out, struct error *err)
{
    const enum error_code code = page_read(call, &page_of_teams, page, err);
    struct str rest = page->after;
    int64_t after = 0;

    if (code) {
        return code;
    }
    if (rest.bytes && (!page_cut_number(&rest, &after) || rest.bytes)) {
        return page_refuse(page, err);
    }
    *query_out = (struct tag_history_query){
        .repository = call->repository.name,
        .name = call->path[PATH_TAG],
        .after_sequence = after,
        .limit = page->limit,
        .arena = &call->exchange->arena,
    };
    return OK;
}

static void write_change(struct json_writer *writer, const struct tag_change *change)
{
    char changed[CLOCK_ISO_BYTES];

    clock_format_iso(change->changed_ms, changed);
    json_writer_begin_object(writer);
    json_writer_member(writer, "changed", str_from(changed));
    json_writer_member(writer, "changed_by_kind", change->changed_by.kind);
    json_writer_member(writer, "changed_by", change->changed_by.name);
    call_write_digest(writer, "from", change->has_old ? &change->old_digest : NULL);
    call_write_digest(writer, "to", &change->new_digest);
    json_writer_end_object(writer);
}

static enum error_code respond_history(struct call *call, const struct page *page,
                                       const struct tag_history *history, struct error *err)
{
    struct json_writer writer;
    char cursor[32];

    if (history->has_more && history->count > 0) {
        (void)snprintf(cursor, sizeof(cursor), "%" PRId64,
                       history->changes[history->count - 1].sequence);
        page_add_link(call, page, str_from(cursor));
    }
    json_writer_init(&writer, &call->written);
    json_writer_begin_array(&writer);
    for (size_t i = 0; i < history->count; i++) {
        write_change(&writer, &history->changes[i]);
    }
    json_writer_end_array(&writer);
    return call_respond_json(call, err);
}

static enum error_code get_history(struct call *call, struct error *err)
{
    struct tag_history_query query = {0};
    struct tag_history history = {0};
    struct page page = {0};
    enum error_code code = read_history(call, &page, &query, err);

    if (!code) {
        code = registry_list_tag_changes(call->api->config.registry, &query, &history, err);
    }
    return code ? code : respond_history(call, &page, &history, err);
}

static enum error_code begin_release(struct call *call, struct error *err)
{
    const struct str type = http_request_header(&call->exchange->request, "Content-Type");
    const struct str essence = str_trim(str_slice(type, 0, str_index_of(type, ';')));

    /* The original's client says nothing of it; a form of a web page does, and is none. */
    if (type.length > 0 && !str_is_ignoring_case(essence, "application/json")) {
        return error_set(err, ERROR_INVALID,
                         "the body must be JSON, and its Content-Type application/json");
    }
    call->wants_body = true;
    return OK;
}

static enum error_code read_incident(struct call *call, struct str *incident_id_out,
                                     struct error *err)
{
    static const char *const names[] = {"incident_id"};
    static const struct json_subject subject = {
        .name = "the body",
        .code = ERROR_INVALID,
        .example = "{\"incident_id\":\"INC-1\"}",
        .text_max_bytes = INCIDENT_ID_MAX_BYTES,
    };
    struct json_reader reader;

    json_reader_open(&reader, strbuf_str(&call->body), &subject, &call->exchange->arena, err);
    json_reader_check_names(&reader, names, ARRAY_LEN(names));
    *incident_id_out = json_reader_needed_text(&reader, names[0]);
    return json_reader_close(&reader);
}

static enum error_code respond_message(struct call *call, const char *message, struct error *err)
{
    struct json_writer writer;

    json_writer_init(&writer, &call->written);
    json_writer_begin_object(&writer);
    json_writer_member(&writer, "message", str_from(message));
    json_writer_end_object(&writer);
    return call_respond_json(call, err);
}

static enum error_code end_release(struct call *call, struct error *err)
{
    struct release release = {
        .repository = &call->repository,
        .tag = call->path[PATH_TAG],
        .identity = call_actor(call),
        .arena = &call->exchange->arena,
    };
    enum error_code code = read_incident(call, &release.incident_id, err);

    if (!code) {
        code = registry_mark_production_ready(call->api->config.registry, &release, err);
    }
    return code ? code : respond_message(call, "the tag is marked as ready for production", err);
}

/* The original asked its scanner again; there is none any more, and its clients are told so. */
static enum error_code recheck_tag(struct call *call, struct error *err)
{
    struct tag_detail tag;
    const enum error_code code =
        registry_find_tag_detail(call->api->config.registry, &call->repository,
                                 call->path[PATH_TAG], &call->exchange->arena, &tag, err);

    return code ? code : respond_message(call, no_scanner, err);
}

static enum error_code recheck_artifact(struct call *call, struct error *err)
{
    const struct tag_detail_query query = {
        .repository = call->repository.name,
        .limit = 1,
        .arena = &call->exchange->arena,
    };
    struct tag_detail_page page;
    const enum error_code code =
        registry_list_tag_details(call->api->config.registry, &query, &page, err);

    return code ? code : respond_message(call, no_scanner, err);
}

const struct handler scm_source_handler = {.begin = get_source};
const struct handler tag_history_handler = {.begin = get_history};
const struct handler production_ready_handler = {.begin = begin_release, .end = end_release};
const struct handler tag_recheck_handler = {.begin = recheck_tag};
const struct handler artifact_recheck_handler = {.begin = recheck_artifact};
