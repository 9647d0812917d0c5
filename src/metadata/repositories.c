#include "metadata/repositories.h"

#include "base/strbuf.h"
#include "metadata/metadata_private.h"

enum error_code metadata_list_repositories(struct metadata *metadata,
                                           const struct name_query *query,
                                           struct name_page *page_out, struct error *err)
{
    const struct sql_query names = {
        .text = "select name from repository where name > $1 order by name limit $2",
        .values = {sql_text(query->after), sql_integer((int64_t)query->limit + 1)},
        .count = 2,
    };

    return metadata_read_names(metadata, &names, query, page_out, err);
}

enum error_code metadata_has_repository(struct metadata *metadata, struct str repository,
                                        bool *is_there_out, struct error *err)
{
    const struct sql_query query = {
        .text = "select id from repository where name = $1",
        .values = {sql_text(repository)},
        .count = 1,
    };

    return metadata_has_row(metadata, &query, is_there_out, err);
}

/* Names of a team lie between `team/` and `team0`: '0' comes right behind '/'. */
enum { NAME_MAX_BYTES = 1024 };

static const char behind_team[] = "0";

struct teams {
    struct str after;
    struct row_page page;
};

static void read_team(struct row *row, void *into)
{
    struct str *team = into;
    const struct str name = row_text(row);

    *team = str_slice(name, 0, str_index_of(name, '/'));
}

/* The team of the first repository behind those of another team. */
static enum error_code add_next_team(struct sql_connection *connection, struct str other,
                                     struct row_page *page, struct error *err)
{
    struct sql_query query = {
        .text = "select name from repository where name >= $1 order by name limit 1",
        .count = 1,
    };
    CLEANUP(strbuf_release) struct strbuf from;

    strbuf_init(&from, NAME_MAX_BYTES);
    strbuf_append(&from, other);
    strbuf_append_text(&from, other.length > 0 ? behind_team : "");
    query.values[0] = sql_text(strbuf_str(&from));
    return rows_page_more(connection, &query, page, err);
}

/* One step in the index for each team, however many repositories it has. */
static enum error_code list_teams(struct sql_connection *connection, void *context,
                                  struct error *err)
{
    struct teams *teams = context;
    struct row_page *page = &teams->page;
    enum error_code code = OK;
    size_t count = 0;

    page->count = 0;
    do {
        const struct str *names = page->items;

        count = page->count;
        code = add_next_team(connection, count > 0 ? names[count - 1] : teams->after, page, err);
    } while (!code && page->count > count);
    return code;
}

enum error_code metadata_list_teams(struct metadata *metadata, const struct name_query *query,
                                    struct name_page *page_out, struct error *err)
{
    struct teams teams = {query->after, metadata_names(query)};
    enum error_code code = OK;

    teams.page.read = read_team;
    code = sql_read(metadata->sql, list_teams, &teams, err);
    if (!code) {
        *page_out = (struct name_page){teams.page.items, teams.page.count, teams.page.has_more};
    }
    return code;
}

enum error_code metadata_list_artifacts(struct metadata *metadata, const struct name_query *query,
                                        struct name_page *page_out, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf after;
    CLEANUP(strbuf_release) struct strbuf end;
    struct sql_query names = {
        .text = "select substr(name, cast($1 as integer)) from repository where name > $2 and name "
                "< $3 "
                "order by name limit $4",
        .count = 4,
    };

    strbuf_init(&after, NAME_MAX_BYTES);
    strbuf_init(&end, NAME_MAX_BYTES);
    strbuf_append(&after, query->repository);
    strbuf_append_byte(&after, '/');
    strbuf_append(&after, query->after);
    strbuf_append(&end, query->repository);
    strbuf_append_text(&end, behind_team);
    names.values[0] = sql_integer((int64_t)query->repository.length + 2);
    names.values[1] = sql_text(strbuf_str(&after));
    names.values[2] = sql_text(strbuf_str(&end));
    names.values[3] = sql_integer((int64_t)query->limit + 1);
    return metadata_read_names(metadata, &names, query, page_out, err);
}

static void read_registry_sums(struct row *row, void *into)
{
    struct registry_statistics *statistics = into;

    statistics->teams = row_size(row);
    statistics->storage_bytes = row_size(row);
}

enum error_code metadata_count_all(struct metadata *metadata,
                                   struct registry_statistics *statistics_out, struct error *err)
{
    static const struct sql_query query = {
        .text = "select teams, storage_bytes from registry_sum where id = 1",
    };
    const struct row_reader reader = {.read = read_registry_sums, .into = statistics_out};
    const enum error_code code = metadata_find_row(metadata, &query, &reader, err);

    return code == ERROR_NOT_FOUND
               ? error_set(err, ERROR_INTERNAL, "the registry's sums are gone from the database")
               : code;
}

static void read_team_sums(struct row *row, void *into)
{
    struct team_statistics *statistics = into;

    statistics->artifacts = row_size(row);
    statistics->tags = row_size(row);
}

enum error_code metadata_count_team(struct metadata *metadata, struct str team,
                                    struct team_statistics *statistics_out, struct error *err)
{
    const struct sql_query query = {
        .text = "select artifacts, tags from team_sum where team = $1",
        .values = {sql_text(team)},
        .count = 1,
    };
    const struct row_reader reader = {.read = read_team_sums, .into = statistics_out};
    const enum error_code code = metadata_find_row(metadata, &query, &reader, err);

    if (code == ERROR_NOT_FOUND) {
        *statistics_out = (struct team_statistics){0};
        return OK;
    }
    return code;
}
