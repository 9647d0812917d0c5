#include "metadata/repositories.h"

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
