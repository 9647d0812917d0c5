#include "api/team_query.h"

enum { QUERY_MAX_BYTES = 1023 }; /* call_parameter takes a value that long for absent */

static bool is_readable(const struct call *call);

enum error_code team_query_limit(struct call *call, size_t *limit_out, struct error *err)
{
    const struct str value = call_parameter(call, "limit");
    uint64_t number = TEAM_PAGE_MAX_ENTRIES;

    if (!is_readable(call)) {
        return error_set_about(err, ABOUT_PAGE, ERROR_INVALID,
                               "the query has more than %d bytes or is not well encoded",
                               QUERY_MAX_BYTES);
    }
    if (value.bytes && (!str_parse_uint64(value, &number) || number == 0)) {
        return error_set_about(err, ABOUT_PAGE, ERROR_INVALID,
                               "limit must be a number above 0: how many entries to list at most");
    }
    *limit_out = number < TEAM_PAGE_MAX_ENTRIES ? (size_t)number : TEAM_PAGE_MAX_ENTRIES;
    return OK;
}

/* A cursor that cannot be read must not be taken for none: the list would begin again. */
static bool is_readable(const struct call *call)
{
    const struct str query = call->exchange->request.query;
    char decoded[QUERY_MAX_BYTES + 1];

    return http_percent_decode(query, decoded, sizeof(decoded));
}

enum error_code team_query_read(struct call *call, struct name_query *query_out, struct error *err)
{
    *query_out = (struct name_query){
        .after = call_parameter(call, "cursor"),
        .arena = &call->exchange->arena,
    };
    return team_query_limit(call, &query_out->limit, err);
}

void team_query_add_link(struct call *call, const struct name_query *query,
                         const struct name_page *page)
{
    if (page->has_more && page->count > 0) {
        call_add_cursor_link(call, query->limit, page->names[page->count - 1]);
    }
}
