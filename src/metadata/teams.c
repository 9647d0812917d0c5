#include "metadata/teams.h"

#include "base/strbuf.h"
#include "metadata/name_list.h"

/* Names of a team lie between `team/` and `team0`: '0' comes right behind '/'. */
enum { NAME_MAX_BYTES = 1024 };

static const char behind_team[] = "0";

static enum error_code list_teams(struct sql_connection *connection, void *context,
                                  struct error *err);
static enum error_code find_next(struct sql_connection *connection, struct str from,
                                 struct strbuf *team_out, struct error *err);
static enum error_code keep_team(struct name_list *list, struct str team, struct error *err);
static enum error_code list_artifacts(struct sql_connection *connection, void *context,
                                      struct error *err);

enum error_code metadata_list_teams(struct metadata *metadata, const struct name_query *query,
                                    struct name_page *page_out, struct error *err)
{
    return name_list_fill(metadata, list_teams, query, page_out, err);
}

/* One step in the index for each team, however many repositories it has. */
static enum error_code list_teams(struct sql_connection *connection, void *context,
                                  struct error *err)
{
    struct name_list *list = context;
    const struct name_query *wanted = list->query;
    CLEANUP(strbuf_release) struct strbuf from;
    CLEANUP(strbuf_release) struct strbuf team;
    enum error_code code = OK;

    strbuf_init(&from, NAME_MAX_BYTES);
    strbuf_init(&team, NAME_MAX_BYTES);
    list->page.count = 0;
    list->page.has_more = false;
    strbuf_append(&from, wanted->after);
    strbuf_append_text(&from, wanted->after.length > 0 ? behind_team : "");
    do {
        code = find_next(connection, strbuf_str(&from), &team, err);
        if (!code && team.length > 0) {
            code = keep_team(list, strbuf_str(&team), err);
        }
        strbuf_clear(&from);
        strbuf_append(&from, strbuf_str(&team));
        strbuf_append_text(&from, behind_team);
    } while (!code && team.length > 0 && !list->page.has_more);
    return code;
}

/* The team of the first repository from there on; empty if there is none. */
static enum error_code find_next(struct sql_connection *connection, struct str from,
                                 struct strbuf *team_out, struct error *err)
{
    const struct sql_query query = {
        .text = "select name from repository where name >= $1 order by name limit 1",
        .values = {sql_text(from)},
        .count = 1,
    };
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    bool is_row = false;
    const enum error_code code = sql_query_row(connection, &query, &rows, &is_row, err);

    strbuf_clear(team_out);
    if (!code && is_row) {
        const struct str name = sql_rows_column(rows, 0).bytes;

        strbuf_append(team_out, str_slice(name, 0, str_index_of(name, '/')));
    }
    return code;
}

static enum error_code keep_team(struct name_list *list, struct str team, struct error *err)
{
    struct name_page *page = &list->page;
    const char *copy = NULL;

    page->has_more = page->count == list->query->limit;
    if (page->has_more) {
        return OK;
    }
    copy = arena_text(list->query->arena, team);
    if (!copy) {
        return error_set(err, ERROR_TOO_LARGE, "the answer is larger than a request's memory");
    }
    page->names[page->count++] = (struct str){copy, team.length};
    return OK;
}

enum error_code metadata_list_artifacts(struct metadata *metadata, const struct name_query *query,
                                        struct name_page *page_out, struct error *err)
{
    return name_list_fill(metadata, list_artifacts, query, page_out, err);
}

static enum error_code list_artifacts(struct sql_connection *connection, void *context,
                                      struct error *err)
{
    struct name_list *list = context;
    const struct name_query *wanted = list->query;
    CLEANUP(strbuf_release) struct strbuf after;
    CLEANUP(strbuf_release) struct strbuf end;
    struct sql_query query = {
        .text = "select substr(name, $1) from repository where name > $2 and name < $3 "
                "order by name limit $4",
        .count = 4,
    };

    strbuf_init(&after, NAME_MAX_BYTES);
    strbuf_init(&end, NAME_MAX_BYTES);
    strbuf_append(&after, wanted->repository);
    strbuf_append_byte(&after, '/');
    strbuf_append(&after, wanted->after);
    strbuf_append(&end, wanted->repository);
    strbuf_append_text(&end, behind_team);
    query.values[0] = sql_integer((int64_t)wanted->repository.length + 2);
    query.values[1] = sql_text(strbuf_str(&after));
    query.values[2] = sql_text(strbuf_str(&end));
    query.values[3] = sql_integer((int64_t)wanted->limit + 1);
    return name_list_read(connection, &query, list, err);
}
