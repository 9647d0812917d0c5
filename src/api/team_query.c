#include "api/team_query.h"

enum error_code team_query_limit(struct call *call, size_t *limit_out, struct error *err)
{
    uint64_t number = TEAM_PAGE_MAX_ENTRIES;
    struct str value;
    const enum error_code code = call_parameter(call, "limit", ABOUT_PAGE, &value, err);

    if (code) {
        return code;
    }
    if (value.bytes && (!str_parse_uint64(value, &number) || number == 0)) {
        return error_set_about(err, ABOUT_PAGE, ERROR_INVALID,
                               "limit must be a number above 0: how many entries to list at most");
    }
    *limit_out = number < TEAM_PAGE_MAX_ENTRIES ? (size_t)number : TEAM_PAGE_MAX_ENTRIES;
    return OK;
}

enum error_code team_query_read(struct call *call, struct name_query *query_out, struct error *err)
{
    struct name_query query = {.arena = &call->exchange->arena};
    enum error_code code = team_query_limit(call, &query.limit, err);

    if (!code) {
        code = call_parameter(call, "cursor", ABOUT_PAGE, &query.after, err);
    }
    if (!code) {
        *query_out = query;
    }
    return code;
}

void team_query_add_link(struct call *call, const struct name_query *query,
                         const struct name_page *page)
{
    if (page->has_more && page->count > 0) {
        call_add_cursor_link(call, query->limit, page->names[page->count - 1]);
    }
}

void team_write_digest(struct json_writer *writer, const char *name, const struct digest *digest)
{
    char text[DIGEST_TEXT_BYTES];

    json_writer_name(writer, name);
    if (digest) {
        digest_format(digest, text);
        json_writer_string(writer, str_from(text));
    } else {
        json_writer_null(writer);
    }
}
