#include "metadata/statistics.h"

#include "metadata/metadata_private.h"

struct look_up {
    struct str team;
    struct registry_statistics all;
    struct team_statistics of_team;
};

static enum error_code read_all(struct sql_connection *connection, void *context,
                                struct error *err);
static enum error_code read_team(struct sql_connection *connection, void *context,
                                 struct error *err);

enum error_code metadata_count_all(struct metadata *metadata,
                                   struct registry_statistics *statistics_out, struct error *err)
{
    struct look_up wanted = {0};
    const enum error_code code = sql_read(metadata->sql, read_all, &wanted, err);

    if (!code) {
        *statistics_out = wanted.all;
    }
    return code;
}

static enum error_code read_all(struct sql_connection *connection, void *context, struct error *err)
{
    static const struct sql_query query = {
        .text = "select teams, storage_bytes from registry_sum where id = 1",
    };
    struct look_up *wanted = context;
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    bool is_row = false;
    enum error_code code = sql_query_row(connection, &query, &rows, &is_row, err);

    if (!code && !is_row) {
        code = error_set(err, ERROR_INTERNAL, "the registry's sums are gone from the database");
    }
    if (!code) {
        wanted->all.teams = (uint64_t)sql_rows_column(rows, 0).integer;
        wanted->all.storage_bytes = (uint64_t)sql_rows_column(rows, 1).integer;
    }
    return code;
}

enum error_code metadata_count_team(struct metadata *metadata, struct str team,
                                    struct team_statistics *statistics_out, struct error *err)
{
    struct look_up wanted = {.team = team};
    const enum error_code code = sql_read(metadata->sql, read_team, &wanted, err);

    if (!code) {
        *statistics_out = wanted.of_team;
    }
    return code;
}

static enum error_code read_team(struct sql_connection *connection, void *context,
                                 struct error *err)
{
    struct look_up *wanted = context;
    const struct sql_query query = {
        .text = "select artifacts, tags from team_sum where team = $1",
        .values = {sql_text(wanted->team)},
        .count = 1,
    };
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    bool is_row = false;
    const enum error_code code = sql_query_row(connection, &query, &rows, &is_row, err);

    wanted->of_team = (struct team_statistics){0};
    if (!code && is_row) {
        wanted->of_team.artifacts = (uint64_t)sql_rows_column(rows, 0).integer;
        wanted->of_team.tags = (uint64_t)sql_rows_column(rows, 1).integer;
    }
    return code;
}
