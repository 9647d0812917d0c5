#include "metadata/token_keys.h"

#include "metadata/metadata_private.h"

struct addition {
    const struct token_key_record *key;
    bool is_new;
};

struct listing {
    struct arena *arena;
    struct token_key_list list;
};

static enum error_code add(struct sql_connection *connection, void *context, struct error *err);
static enum error_code list(struct sql_connection *connection, void *context, struct error *err);
static enum error_code read_key(const struct sql_rows *rows, struct arena *arena,
                                struct token_key_record *key, struct error *err);
static enum error_code remove_old(struct sql_connection *connection, void *context,
                                  struct error *err);

enum error_code metadata_add_token_key(struct metadata *metadata,
                                       const struct token_key_record *key, struct error *err)
{
    struct addition addition = {key, false};
    const enum error_code code = sql_write(metadata->sql, SQL_DURABLE, add, &addition, err);

    if (code || addition.is_new) {
        return code;
    }
    return error_set(err, ERROR_CONFLICT, "there is a token key with that id already");
}

static enum error_code add(struct sql_connection *connection, void *context, struct error *err)
{
    struct addition *addition = context;
    const struct token_key_record *key = addition->key;
    const struct sql_query query = {
        .text = "insert into token_key (id, created_ms, sealed) values ($1, $2, $3) "
                "on conflict do nothing returning id",
        .values = {sql_text(key->id), sql_integer(key->created_ms), sql_bytes(key->sealed)},
        .count = 3,
    };

    return sql_run_for_row(connection, &query, &addition->is_new, err);
}

enum error_code metadata_list_token_keys(struct metadata *metadata, struct arena *arena,
                                         struct token_key_list *list_out, struct error *err)
{
    struct listing listing = {.arena = arena};
    void *keys = NULL;
    enum error_code code =
        metadata_new_list(arena, TOKEN_KEYS_MAX, sizeof(*listing.list.keys), &keys, err);

    listing.list.keys = keys;
    if (!code) {
        code = sql_read(metadata->sql, list, &listing, err);
    }
    if (!code) {
        *list_out = listing.list;
    }
    return code;
}

static enum error_code list(struct sql_connection *connection, void *context, struct error *err)
{
    struct listing *listing = context;
    const struct sql_query query = {
        .text = "select id, created_ms, sealed from token_key "
                "order by created_ms desc, id limit $1",
        .values = {sql_integer(TOKEN_KEYS_MAX)},
        .count = 1,
    };
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    enum error_code code = sql_query(connection, &query, &rows, err);
    bool is_row = true;

    listing->list.count = 0;
    while (!code && is_row) {
        code = sql_rows_next(rows, &is_row, err);
        if (!code && is_row) {
            code = read_key(rows, listing->arena, &listing->list.keys[listing->list.count++], err);
        }
    }
    return code;
}

static enum error_code read_key(const struct sql_rows *rows, struct arena *arena,
                                struct token_key_record *key, struct error *err)
{
    enum error_code code = metadata_read_text(rows, 0, arena, &key->id, err);

    if (!code) {
        code = metadata_read_text(rows, 2, arena, &key->sealed, err);
    }
    key->created_ms = sql_rows_column(rows, 1).integer;
    return code;
}

enum error_code metadata_remove_token_keys(struct metadata *metadata, int64_t before_ms,
                                           struct error *err)
{
    return sql_write(metadata->sql, SQL_RELAXED, remove_old, &before_ms, err);
}

static enum error_code remove_old(struct sql_connection *connection, void *context,
                                  struct error *err)
{
    const int64_t *before_ms = context;
    const struct sql_query query = {
        .text = "delete from token_key where created_ms < $1",
        .values = {sql_integer(*before_ms)},
        .count = 1,
    };

    return sql_run(connection, &query, err);
}
