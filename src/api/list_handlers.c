#include "api/api_private.h"
#include "api/handlers.h"
#include "base/json_writer.h"
#include "registry/manifests.h"
#include "registry/tags.h"

enum { LIST_MAX_BYTES = 1024 * 1024, REFERRERS_MAX_BYTES = 8 * 1024 * 1024 };

static enum error_code list_tags(struct call *call, bool *wants_body_out, struct error *err);
static enum error_code list_repositories(struct call *call, bool *wants_body_out,
                                         struct error *err);
static enum error_code answer_names(struct call *call, const char *member,
                                    const struct name_page *page, struct error *err);
static enum error_code list_referrers(struct call *call, bool *wants_body_out, struct error *err);
static enum error_code read_query(struct call *call, struct referrer_query *query,
                                  struct digest *after, struct error *err);
static enum error_code answer_referrers(struct call *call, const struct referrer_page *page,
                                        struct error *err);
static void write_referrer(struct json_writer *writer, const struct referrer *referrer);

const struct handler tag_list_handler = {.begin = list_tags};
const struct handler catalog_handler = {.begin = list_repositories};
const struct handler referrers_handler = {.begin = list_referrers};

static enum error_code list_tags(struct call *call, bool *wants_body_out, struct error *err)
{
    const struct str after = call_parameter(call, "last");
    struct name_page page = {0};
    size_t limit = 0;
    enum error_code code = call_page_size(call, &limit, err);

    (void)wants_body_out;
    if (!code) {
        code = registry_list_tags(call->api->config.registry, &call->repository, after, limit,
                                  &call->exchange->arena, &page, err);
    }
    if (!code && page.has_more && limit > 0) {
        call_add_next_link(call, limit, page.names[page.count - 1], NULL, (struct str){0});
    }
    return code ? code : answer_names(call, "tags", &page, err);
}

static enum error_code list_repositories(struct call *call, bool *wants_body_out, struct error *err)
{
    const struct str after = call_parameter(call, "last");
    struct name_page page = {0};
    size_t limit = 0;
    enum error_code code = call_page_size(call, &limit, err);

    (void)wants_body_out;
    if (!code) {
        code = registry_list_repositories(call->api->config.registry, after, limit,
                                          &call->exchange->arena, &page, err);
    }
    if (!code && page.has_more && limit > 0) {
        call_add_next_link(call, limit, page.names[page.count - 1], NULL, (struct str){0});
    }
    return code ? code : answer_names(call, "repositories", &page, err);
}

static enum error_code answer_names(struct call *call, const char *member,
                                    const struct name_page *page, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf body;
    struct json_writer writer;

    strbuf_init(&body, LIST_MAX_BYTES);
    json_writer_init(&writer, &body);
    json_writer_begin_object(&writer);
    if (call->repository.name.length > 0) {
        json_writer_member(&writer, "name", call->repository.name);
    }
    json_writer_name(&writer, member);
    json_writer_begin_array(&writer);
    for (size_t i = 0; i < page->count; i++) {
        json_writer_string(&writer, page->names[i]);
    }
    json_writer_end_array(&writer);
    json_writer_end_object(&writer);
    return call_answer_json(call, 200, "application/json", &body, err);
}

static enum error_code list_referrers(struct call *call, bool *wants_body_out, struct error *err)
{
    struct referrer_query query = {0};
    struct referrer_page page = {0};
    struct digest after;
    char last[DIGEST_TEXT_BYTES];
    enum error_code code = read_query(call, &query, &after, err);

    (void)wants_body_out;
    if (!code) {
        code = registry_list_referrers(call->api->config.registry, &query, &call->exchange->arena,
                                       &page, err);
    }
    if (code) {
        return code;
    }
    if (query.artifact_type.length > 0) {
        http_response_add(&call->exchange->response, "OCI-Filters-Applied",
                          str_from("artifactType"));
    }
    if (page.has_more && page.count > 0) {
        digest_format(&page.referrers[page.count - 1].manifest.digest, last);
        call_add_next_link(call, query.limit, str_from(last), "artifactType", query.artifact_type);
    }
    return answer_referrers(call, &page, err);
}

static enum error_code read_query(struct call *call, struct referrer_query *query,
                                  struct digest *after, struct error *err)
{
    const struct str last = call_parameter(call, "last");
    enum error_code code = digest_parse(call->reference, &query->subject, err);

    query->repository = call->repository.name;
    query->artifact_type = call_parameter(call, "artifactType");
    if (!code) {
        code = call_page_size(call, &query->limit, err);
    }
    if (!code && last.bytes) {
        code = digest_parse(last, after, err);
        query->after = after;
    }
    return code;
}

static enum error_code answer_referrers(struct call *call, const struct referrer_page *page,
                                        struct error *err)
{
    static const char index_type[] = "application/vnd.oci.image.index.v1+json";
    CLEANUP(strbuf_release) struct strbuf body;
    struct json_writer writer;

    strbuf_init(&body, REFERRERS_MAX_BYTES);
    json_writer_init(&writer, &body);
    json_writer_begin_object(&writer);
    json_writer_member_uint64(&writer, "schemaVersion", 2);
    json_writer_member(&writer, "mediaType", str_from(index_type));
    json_writer_name(&writer, "manifests");
    json_writer_begin_array(&writer);
    for (size_t i = 0; i < page->count; i++) {
        write_referrer(&writer, &page->referrers[i]);
    }
    json_writer_end_array(&writer);
    json_writer_end_object(&writer);
    return call_answer_json(call, 200, index_type, &body, err);
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
