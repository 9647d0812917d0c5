#include "metadata/repositories.h"

#include "metadata/name_list.h"

struct existence {
    struct str repository;
    bool is_there;
};

static enum error_code list(struct sql_connection *connection, void *context, struct error *err);
static enum error_code look(struct sql_connection *connection, void *context, struct error *err);

enum error_code metadata_list_repositories(struct metadata *metadata,
                                           const struct name_query *query,
                                           struct name_page *page_out, struct error *err)
{
    return name_list_fill(metadata, list, query, page_out, err);
}

static enum error_code list(struct sql_connection *connection, void *context, struct error *err)
{
    struct name_list *wanted = context;
    const struct sql_query query = {
        .text = "select name from repository where name > $1 order by name limit $2",
        .values = {sql_text(wanted->query->after), sql_integer((int64_t)wanted->query->limit + 1)},
        .count = 2,
    };

    return name_list_read(connection, &query, wanted, err);
}

enum error_code metadata_has_repository(struct metadata *metadata, struct str repository,
                                        bool *is_there_out, struct error *err)
{
    struct existence wanted = {.repository = repository};
    const enum error_code code = sql_read(metadata->sql, look, &wanted, err);

    if (!code) {
        *is_there_out = wanted.is_there;
    }
    return code;
}

static enum error_code look(struct sql_connection *connection, void *context, struct error *err)
{
    struct existence *wanted = context;
    int64_t id = 0;
    const enum error_code code = metadata_repository_id(connection, wanted->repository, &id, err);

    wanted->is_there = code == OK;
    return code == ERROR_NOT_FOUND ? OK : code;
}
