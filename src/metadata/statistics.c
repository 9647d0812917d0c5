#include "metadata/statistics.h"

#include "base/strbuf.h"
#include "metadata/metadata_private.h"

enum { NAME_MAX_BYTES = 1024 };

struct count {
    struct str team;
    struct registry_statistics all;
    struct team_statistics of_team;
};

static enum error_code count_all(struct sql_connection *connection, void *context,
                                 struct error *err);
static enum error_code count_team(struct sql_connection *connection, void *context,
                                  struct error *err);
static enum error_code read_number(struct sql_connection *connection, const struct sql_query *query,
                                   uint64_t *number_out, struct error *err);

enum error_code metadata_count_all(struct metadata *metadata,
                                   struct registry_statistics *statistics_out, struct error *err)
{
    struct count count = {0};
    const enum error_code code = sql_read(metadata->sql, count_all, &count, err);

    if (!code) {
        *statistics_out = count.all;
    }
    return code;
}

/* A team is what stands before the first slash. The recursion steps from one to the next in the
 * index, however many repositories each has: '0' comes right behind '/'. */
static enum error_code count_all(struct sql_connection *connection, void *context,
                                 struct error *err)
{
    static const struct sql_query teams = {
        .text = "with recursive team (first) as ("
                "select min(name) from repository "
                "union all select (select min(name) from repository where name >= "
                "substr(team.first, 1, instr(team.first, '/') - 1) || '0') "
                "from team where team.first is not null) "
                "select count(first) from team",
    };
    static const struct sql_query storage = {
        .text = "select coalesce(sum(size_bytes), 0) from named_blob",
    };
    struct count *count = context;
    const enum error_code code = read_number(connection, &teams, &count->all.teams, err);

    return code ? code : read_number(connection, &storage, &count->all.storage_bytes, err);
}

enum error_code metadata_count_team(struct metadata *metadata, struct str team,
                                    struct team_statistics *statistics_out, struct error *err)
{
    struct count count = {.team = team};
    const enum error_code code = sql_read(metadata->sql, count_team, &count, err);

    if (!code) {
        *statistics_out = count.of_team;
    }
    return code;
}

static enum error_code count_team(struct sql_connection *connection, void *context,
                                  struct error *err)
{
    struct sql_query artifacts = {
        .text = "select count(*) from repository where name > $1 and name < $2",
        .count = 2,
    };
    struct sql_query tags = {
        .text = "select count(*) from repository join tag on tag.repository_id = repository.id "
                "where repository.name > $1 and repository.name < $2 and tag.kind <> 2",
        .count = 2,
    };
    CLEANUP(strbuf_release) struct strbuf first;
    CLEANUP(strbuf_release) struct strbuf end;
    struct count *count = context;
    enum error_code code = OK;

    strbuf_init(&first, NAME_MAX_BYTES);
    strbuf_init(&end, NAME_MAX_BYTES);
    strbuf_append_format(&first, "%.*s/", STR_FORMAT(count->team));
    strbuf_append_format(&end, "%.*s0", STR_FORMAT(count->team));
    artifacts.values[0] = tags.values[0] = sql_text(strbuf_str(&first));
    artifacts.values[1] = tags.values[1] = sql_text(strbuf_str(&end));
    code = read_number(connection, &artifacts, &count->of_team.artifacts, err);
    return code ? code : read_number(connection, &tags, &count->of_team.tags, err);
}

static enum error_code read_number(struct sql_connection *connection, const struct sql_query *query,
                                   uint64_t *number_out, struct error *err)
{
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    bool is_row = false;
    enum error_code code = sql_query_row(connection, query, &rows, &is_row, err);

    if (!code && !is_row) {
        code = error_set(err, ERROR_INTERNAL, "a count has no row");
    }
    if (!code) {
        *number_out = (uint64_t)sql_rows_column(rows, 0).integer;
    }
    return code;
}
