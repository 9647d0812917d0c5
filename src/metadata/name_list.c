#include "metadata/name_list.h"

enum error_code name_list_fill(struct metadata *metadata, sql_work *work,
                               const struct name_query *query, struct name_page *page_out,
                               struct error *err)
{
    struct name_list list = {.query = query};
    void *names = NULL;
    enum error_code code =
        metadata_new_list(query->arena, query->limit, sizeof(*list.page.names), &names, err);

    list.page.names = names;
    if (!code) {
        code = sql_read(metadata->sql, work, &list, err);
    }
    if (!code) {
        *page_out = list.page;
    }
    return code;
}

enum error_code name_list_read(struct sql_connection *connection, const struct sql_query *query,
                               struct name_list *list, struct error *err)
{
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    enum error_code code = sql_query(connection, query, &rows, err);
    struct name_page *page = &list->page;
    bool is_row = true;

    page->count = 0;
    page->has_more = false;
    while (!code && is_row && !page->has_more) {
        code = sql_rows_next(rows, &is_row, err);
        if (code || !is_row) {
            break;
        }
        page->has_more = page->count == list->query->limit;
        if (!page->has_more) {
            code =
                metadata_read_text(rows, 0, list->query->arena, &page->names[page->count++], err);
        }
    }
    return code;
}
