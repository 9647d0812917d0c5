#include "metadata/token_keys.h"

#include "metadata/metadata_private.h"

struct adding {
    const struct token_key_record *key;
    bool is_there;
};

/* Done again, as nobody heard that it was done, it finds its own. */
static enum error_code token_key_add(struct sql_connection *connection, void *context,
                                     struct error *err)
{
    struct adding *adding = context;
    const struct token_key_record *key = adding->key;
    const struct sql_query addition = {
        .text = "insert into token_key (id, created_ms, sealed) values ($1, $2, $3) "
                "on conflict do nothing returning id",
        .values = {sql_text(key->id), sql_integer(key->created_ms), sql_bytes(key->sealed)},
        .count = 3,
    };
    const struct sql_query look = {
        .text = "select 1 from token_key where id = $1 and created_ms = $2 and sealed = $3",
        .values = {addition.values[0], addition.values[1], addition.values[2]},
        .count = 3,
    };
    const enum error_code code = sql_run_for_row(connection, &addition, &adding->is_there, err);

    return code || adding->is_there || !sql_is_repeated(connection)
               ? code
               : sql_run_for_row(connection, &look, &adding->is_there, err);
}

enum error_code metadata_add_token_key(struct metadata *metadata,
                                       const struct token_key_record *key, struct error *err)
{
    struct adding adding = {.key = key};
    const enum error_code code = sql_write(metadata->sql, SQL_DURABLE, token_key_add, &adding, err);

    if (code || adding.is_there) {
        return code;
    }
    return error_set(err, ERROR_CONFLICT, "there is a token key with that id already");
}

static void read_key(struct row *row, void *into)
{
    struct token_key_record *key = into;

    key->id = row_text(row);
    key->created_ms = row_integer(row);
    key->sealed = row_text(row);
}

enum error_code metadata_list_token_keys(struct metadata *metadata, struct arena *arena,
                                         struct token_key_list *list_out, struct error *err)
{
    const struct sql_query query = {
        .text = "select id, created_ms, sealed from token_key "
                "order by created_ms desc, id limit $1",
        .values = {sql_integer(TOKEN_KEYS_MAX)},
        .count = 1,
    };
    struct row_page page = {.read = read_key,
                            .item_bytes = sizeof(struct token_key_record),
                            .limit = TOKEN_KEYS_MAX,
                            .arena = arena};
    const enum error_code code = metadata_read_page(metadata, &query, &page, err);

    if (!code) {
        *list_out = (struct token_key_list){page.items, page.count};
    }
    return code;
}

enum error_code metadata_remove_token_keys(struct metadata *metadata, int64_t before_ms,
                                           struct error *err)
{
    const struct sql_query query = {
        .text = "delete from token_key where created_ms < $1",
        .values = {sql_integer(before_ms)},
        .count = 1,
    };

    return metadata_run(metadata, SQL_RELAXED, &query, err);
}
