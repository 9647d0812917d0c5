#include "metadata/statistics.h"

#include "metadata/metadata_private.h"

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
