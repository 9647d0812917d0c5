#include "api/api_private.h"
#include "api/handlers.h"
#include "base/json_writer.h"
#include "registry/tags.h"

static enum error_code list_tags(struct call *call, bool *wants_body_out, struct error *err);
static enum error_code list_repositories(struct call *call, bool *wants_body_out,
                                         struct error *err);
static enum error_code read_name_query(struct call *call, struct name_query *query,
                                       struct error *err);
static enum error_code answer_names(struct call *call, const char *member,
                                    const struct name_query *query, const struct name_page *page,
                                    struct error *err);

const struct handler tag_list_handler = {.begin = list_tags};
const struct handler catalog_handler = {.begin = list_repositories};

static enum error_code list_tags(struct call *call, bool *wants_body_out, struct error *err)
{
    struct name_page page = {0};
    struct name_query query = {0};
    enum error_code code = read_name_query(call, &query, err);

    (void)wants_body_out;
    if (!code) {
        code =
            registry_list_tags(call->api->config.registry, &call->repository, &query, &page, err);
    }
    return code ? code : answer_names(call, "tags", &query, &page, err);
}

static enum error_code list_repositories(struct call *call, bool *wants_body_out, struct error *err)
{
    struct name_page page = {0};
    struct name_query query = {0};
    enum error_code code = read_name_query(call, &query, err);

    (void)wants_body_out;
    if (!code) {
        code = registry_list_repositories(call->api->config.registry, &query, &page, err);
    }
    return code ? code : answer_names(call, "repositories", &query, &page, err);
}

static enum error_code read_name_query(struct call *call, struct name_query *query,
                                       struct error *err)
{
    const enum error_code code = call_page_size(call, PAGE_MAX_ENTRIES, &query->limit, err);

    query->arena = &call->exchange->arena;
    return code ? code : call_parameter(call, "last", ABOUT_PAGE, &query->after, err);
}

static enum error_code answer_names(struct call *call, const char *member,
                                    const struct name_query *query, const struct name_page *page,
                                    struct error *err)
{
    struct json_writer writer;

    if (page->has_more && page->count > 0) {
        call_add_next_link(call, query->limit, page->names[page->count - 1], NULL, (struct str){0});
    }
    json_writer_init(&writer, &call->answer);
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
    return call_answer_written(call, "application/json", err);
}
