#include "api/call.h"
#include "api/page.h"
#include "api/routes.h"
#include "registry/registry.h"

/* What there is: names, page by page, and how many. */

typedef enum error_code list_names(struct registry *registry, const struct name_query *query,
                                   struct name_page *page_out, struct error *err);

/* The page of names that is asked for; of the team's, where the path names one. */
static enum error_code read_names(struct call *call, const struct page_style *style,
                                  list_names *list, struct name_query *query,
                                  struct name_page *page_out, struct error *err)
{
    const enum error_code code = page_read_names(call, style, query, err);

    query->repository = call->path[PATH_TEAM];
    return code ? code : list(call->api->config.registry, query, page_out, err);
}
static enum error_code respond_oci_names(struct call *call, const char *member,
                                         const struct name_query *query,
                                         const struct name_page *page, struct error *err)
{
    struct json_writer writer;

    page_add_names_link(call, &page_of_oci, query, page);
    json_writer_init(&writer, &call->written);
    json_writer_begin_object(&writer);
    if (call->repository.name.length > 0) {
        json_writer_member(&writer, "name", call->repository.name);
    }
    json_writer_name(&writer, member);
    page_write_names(&writer, page);
    json_writer_end_object(&writer);
    return call_respond_json(call, err);
}

static enum error_code list_tag_names(struct call *call, struct error *err)
{
    struct name_page page = {0};
    struct name_query query = {0};
    enum error_code code = page_read_names(call, &page_of_oci, &query, err);

    if (!code) {
        code =
            registry_list_tags(call->api->config.registry, &call->repository, &query, &page, err);
    }
    return code ? code : respond_oci_names(call, "tags", &query, &page, err);
}

static enum error_code list_repositories(struct call *call, struct error *err)
{
    struct name_page page = {0};
    struct name_query query = {0};
    const enum error_code code =
        read_names(call, &page_of_oci, registry_list_repositories, &query, &page, err);

    return code ? code : respond_oci_names(call, "repositories", &query, &page, err);
}

static enum error_code respond_names(struct call *call, list_names *list, struct error *err)
{
    struct name_page page = {0};
    struct name_query query = {0};
    struct json_writer writer;
    const enum error_code code = read_names(call, &page_of_teams, list, &query, &page, err);

    if (code) {
        return code;
    }
    page_add_names_link(call, &page_of_teams, &query, &page);
    json_writer_init(&writer, &call->written);
    page_write_names(&writer, &page);
    return call_respond_json(call, err);
}

static enum error_code list_team_names(struct call *call, struct error *err)
{
    return respond_names(call, registry_list_teams, err);
}

static enum error_code list_artifacts(struct call *call, struct error *err)
{
    return respond_names(call, registry_list_artifacts, err);
}

static enum error_code count_all(struct call *call, struct error *err)
{
    struct registry_statistics statistics;
    struct json_writer writer;
    const enum error_code code = registry_count_all(call->api->config.registry, &statistics, err);

    if (code) {
        return code;
    }
    json_writer_init(&writer, &call->written);
    json_writer_begin_object(&writer);
    json_writer_member_uint64(&writer, "teams", statistics.teams);
    json_writer_member_uint64(&writer, "storage", statistics.storage_bytes);
    json_writer_end_object(&writer);
    return call_respond_json(call, err);
}

static void write_team(struct json_writer *writer, const struct team_statistics *statistics)
{
    json_writer_begin_object(writer);
    json_writer_member_uint64(writer, "artifacts", statistics->artifacts);
    json_writer_member_uint64(writer, "tags", statistics->tags);
    json_writer_end_object(writer);
}

static enum error_code count_team(struct call *call, struct error *err)
{
    struct team_statistics statistics;
    struct json_writer writer;
    const enum error_code code =
        registry_count_team(call->api->config.registry, call->path[PATH_TEAM], &statistics, err);

    if (code) {
        return code;
    }
    json_writer_init(&writer, &call->written);
    write_team(&writer, &statistics);
    return call_respond_json(call, err);
}

static enum error_code write_teams(struct call *call, const struct name_page *page,
                                   struct error *err)
{
    struct json_writer writer;
    enum error_code code = OK;

    json_writer_init(&writer, &call->written);
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

static enum error_code count_teams(struct call *call, struct error *err)
{
    struct name_page page = {0};
    struct name_query query = {0};
    enum error_code code =
        read_names(call, &page_of_teams, registry_list_teams, &query, &page, err);

    if (code) {
        return code;
    }
    page_add_names_link(call, &page_of_teams, &query, &page);
    code = write_teams(call, &page, err);
    return code ? code : call_respond_json(call, err);
}

const struct handler tag_list_handler = {.begin = list_tag_names};
const struct handler catalog_handler = {.begin = list_repositories};
const struct handler team_list_handler = {.begin = list_team_names};
const struct handler artifact_list_handler = {.begin = list_artifacts};
const struct handler statistics_handler = {.begin = count_all};
const struct handler team_statistics_handler = {.begin = count_team};
const struct handler all_team_statistics_handler = {.begin = count_teams};
