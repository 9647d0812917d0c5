#include "metadata/transfer.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "metadata/metadata_private.h"
#include "metadata/migrate.h"
#include "metadata/transfer_tables.h"

enum {
    ARENA_BYTES = 4096,
    COLUMNS_MAX = ARRAY_LEN(((struct sql_query *)NULL)->values),
    PAGE_FULL_BYTES = 16 * 1024 * 1024, /* then the page ends, however few its rows */
    PAGE_MAX_BYTES = 256 * 1024 * 1024, /* that, and the largest manifest there may be */
};

struct mark {
    struct arena arena;
    struct str name;
};

struct page_row {
    struct sql_value values[COLUMNS_MAX];
};

/* A table, read page by page. The page before is kept: its last row is where the next begins. */
struct cursor {
    const struct transfer_table *table;
    struct metadata *metadata;
    struct arena arenas[2];
    size_t turn; /* of the arenas: which one the page is in */
    struct page_row *rows;
    size_t count;
    const struct page_row *last; /* of the page before; NULL: it is the first */
    uint64_t rows_before;
};

typedef enum error_code table_step(const struct transfer *transfer,
                                   const struct transfer_table *table, struct error *err);

/* In the name of the mark: what tells one registry from another, though it knows no name itself. */
static const char find_first[] =
    "select name || ' of ' || cast(created_ms as text) from repository order by id limit 1";
static const char nothing[] = "an empty registry";

static void transfer_read_name(struct row *row, void *into)
{
    struct str *name = into;

    *name = row_text(row);
}

static enum error_code find_name(const struct transfer *transfer, struct mark *mark,
                                 struct error *err)
{
    static const struct sql_query query = {.text = find_first};
    const struct row_reader reader = {transfer_read_name, &mark->name, &mark->arena};
    const enum error_code code = metadata_find_row(transfer->from, &query, &reader, err);

    if (code == ERROR_NOT_FOUND) {
        mark->name = str_from(nothing);
        return OK;
    }
    return code;
}

static enum error_code check_empty(struct sql_connection *connection, struct error *err)
{
    static const struct sql_query query = {
        .text = "select 1 where exists (select 1 from repository) "
                "or exists (select 1 from content) or exists (select 1 from upload) "
                "or exists (select 1 from blob_place) or exists (select 1 from swept_place)"};
    bool is_row = false;
    const enum error_code code = sql_run_for_row(connection, &query, &is_row, err);

    if (code || !is_row) {
        return code;
    }
    return error_set(err, ERROR_CONFLICT,
                     "there is a registry in the destination already: name an empty database");
}

/* An empty registry may have got its first repository since. */
static enum error_code check_mark(struct str found, struct str wanted, struct error *err)
{
    if (str_equal(found, wanted) || str_is(found, nothing)) {
        return OK;
    }
    return error_set(err, ERROR_CONFLICT,
                     "another registry is being moved to the destination, one that began with "
                     "%.*s: name an empty database",
                     STR_FORMAT(found));
}

static enum error_code set_mark(struct sql_connection *connection, void *context, struct error *err)
{
    const struct mark *mark = context;
    static const struct sql_query query = {
        .text = "select name from schema_version where version = $1",
        .values = {{.type = SQL_INTEGER, .integer = MIGRATE_BEING_FILLED}},
        .count = 1,
    };
    const struct sql_query set = {
        .text = "insert into schema_version (version, name) values ($1, $2) "
                "on conflict (version) do update set name = excluded.name",
        .values = {sql_integer(MIGRATE_BEING_FILLED), sql_text(mark->name)},
        .count = 2,
    };
    struct arena arena;
    struct str found;
    const struct row_reader reader = {transfer_read_name, &found, &arena};
    enum error_code code = sql_lock(connection, NULL, err);

    arena_init(&arena, ARENA_BYTES);
    if (!code) {
        code = rows_find(connection, &query, &reader, err);
        code = code == ERROR_NOT_FOUND ? check_empty(connection, err)
               : code                  ? code
                                       : check_mark(found, mark->name, err);
    }
    arena_release(&arena);
    return code ? code : sql_run(connection, &set, err);
}

enum error_code transfer_begin(const struct transfer *transfer, struct error *err)
{
    struct mark mark = {0};
    enum error_code code = OK;

    arena_init(&mark.arena, ARENA_BYTES);
    code = find_name(transfer, &mark, err);
    if (!code) {
        code = sql_write(transfer->to->sql, SQL_DURABLE, set_mark, &mark, err);
    }
    arena_release(&mark.arena);
    return code;
}

static enum error_code for_tables(const struct transfer *transfer, bool with_places,
                                  table_step *step, struct error *err)
{
    size_t count = 0;
    const struct transfer_table *const tables = transfer_tables(&count);
    enum error_code code = OK;

    for (size_t i = 0; i < count && !code; i++) {
        if (with_places || !tables[i].is_of_places) {
            code = step(transfer, &tables[i], err);
        }
    }
    return code;
}

static void cursor_init(struct cursor *cursor, const struct transfer_table *table,
                        struct metadata *metadata)
{
    *cursor = (struct cursor){.table = table, .metadata = metadata};
    for (size_t i = 0; i < ARRAY_LEN(cursor->arenas); i++) {
        arena_init(&cursor->arenas[i], PAGE_MAX_BYTES);
    }
}

static enum error_code transfer_read_row(struct cursor *cursor, const struct sql_rows *rows,
                                         struct error *err)
{
    struct page_row *row = &cursor->rows[cursor->count];

    for (size_t i = 0; i < cursor->table->columns; i++) {
        struct sql_value *value = &row->values[i];

        *value = sql_rows_column(rows, (int)i);
        if (value->type == SQL_TEXT || value->type == SQL_BYTES) {
            value->bytes = arena_copy(&cursor->arenas[cursor->turn], value->bytes);
        }
        if ((value->type == SQL_TEXT || value->type == SQL_BYTES) && !value->bytes.bytes) {
            return error_set(err, ERROR_TOO_LARGE, "a row of %s is larger than any can be",
                             cursor->table->name);
        }
    }
    cursor->count++;
    return OK;
}

static enum error_code transfer_read_page(struct sql_connection *connection, void *context,
                                          struct error *err)
{
    struct cursor *cursor = context;
    const struct transfer_table *table = cursor->table;
    struct arena *arena = &cursor->arenas[cursor->turn];
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    struct sql_query query = {.text = table->select, .count = table->key_columns + 1};
    bool is_row = true;
    enum error_code code = OK;

    memcpy(query.values, cursor->last ? cursor->last->values : table->before_all,
           table->key_columns * sizeof(query.values[0]));
    query.values[table->key_columns] = sql_integer(table->page_rows);
    arena_release(arena);
    cursor->count = 0;
    cursor->rows = arena_new(arena, (size_t)table->page_rows, sizeof(*cursor->rows));
    assert(cursor->rows);
    code = sql_query(connection, &query, &rows, err);
    while (!code && is_row && arena->used_bytes < PAGE_FULL_BYTES) {
        code = sql_rows_next(rows, &is_row, err);
        if (!code && is_row) {
            code = transfer_read_row(cursor, rows, err);
        }
    }
    return code;
}

/* None: it is at the end. */
static enum error_code cursor_next(struct cursor *cursor, struct error *err)
{
    cursor->rows_before += cursor->count;
    cursor->last = cursor->count > 0 ? &cursor->rows[cursor->count - 1] : NULL;
    cursor->turn = 1 - cursor->turn;
    return sql_read_once(cursor->metadata->sql, transfer_read_page, cursor, err);
}

static enum error_code check_contents(const struct cursor *cursor, struct error *err)
{
    for (size_t i = 0; i < cursor->count && cursor->table->has_content; i++) {
        const struct sql_value *values = cursor->rows[i].values;
        struct digest wanted;
        struct digest found;

        if (digest_parse(values[0].bytes, &wanted, err)) {
            return ERROR_INVALID;
        }
        found = hasher_digest_of(wanted.algorithm, values[1].bytes);
        if (!digest_equal(&wanted, &found)) {
            return error_set(err, ERROR_INVALID,
                             "the manifest %.*s is damaged in the source's database: restore that "
                             "from a backup",
                             STR_FORMAT(values[0].bytes));
        }
    }
    return OK;
}

static enum error_code insert_page(struct sql_connection *connection, void *context,
                                   struct error *err)
{
    const struct cursor *cursor = context;
    struct sql_query query = {.text = cursor->table->insert, .count = cursor->table->columns};
    enum error_code code = OK;

    for (size_t i = 0; i < cursor->count && !code; i++) {
        memcpy(query.values, cursor->rows[i].values, sizeof(query.values));
        code = sql_run(connection, &query, err);
    }
    return code;
}

static void cursor_release(struct cursor *cursor)
{
    for (size_t i = 0; i < ARRAY_LEN(cursor->arenas); i++) {
        arena_release(&cursor->arenas[i]);
    }
}

static enum error_code copy_table(const struct transfer *transfer,
                                  const struct transfer_table *table, struct error *err)
{
    struct cursor cursor;
    enum error_code code = OK;

    cursor_init(&cursor, table, transfer->from);
    do {
        code = cursor_next(&cursor, err);
        if (!code) {
            code = check_contents(&cursor, err);
        }
        if (!code && cursor.count > 0) {
            code = sql_write(transfer->to->sql, SQL_RELAXED, insert_page, &cursor, err);
            transfer->tell(transfer->context, table->name, cursor.rows_before + cursor.count);
        }
    } while (!code && cursor.count > 0);
    cursor_release(&cursor);
    return code;
}

enum error_code transfer_copy(const struct transfer *transfer, struct error *err)
{
    return for_tables(transfer, transfer->keeps_places, copy_table, err);
}

static bool transfer_is_same(const struct sql_value *a, const struct sql_value *b)
{
    return a->type == b->type && a->integer == b->integer && str_equal(a->bytes, b->bytes);
}

static enum error_code compare_pages(const struct cursor *from, const struct cursor *to,
                                     struct error *err)
{
    const size_t count = from->count < to->count ? from->count : to->count;
    bool are_same = from->count == to->count;
    size_t i = 0;

    for (; i < count; i++) {
        for (size_t k = 0; k < from->table->columns; k++) {
            are_same =
                are_same && transfer_is_same(&from->rows[i].values[k], &to->rows[i].values[k]);
        }
    }
    return are_same ? OK
                    : error_set(err, ERROR_CONFLICT,
                                "the table %s is not the same on both sides, behind %" PRIu64
                                " rows: something was pushed meanwhile; have the source take no "
                                "pushes, and run this again",
                                from->table->name, from->rows_before);
}

static enum error_code compare_table(const struct transfer *transfer,
                                     const struct transfer_table *table, struct error *err)
{
    struct cursor from;
    struct cursor to;
    enum error_code code = OK;

    cursor_init(&from, table, transfer->from);
    cursor_init(&to, table, transfer->to);
    do {
        code = cursor_next(&from, err);
        if (!code) {
            code = cursor_next(&to, err);
        }
        if (!code) {
            code = compare_pages(&from, &to, err);
        }
    } while (!code && from.count > 0);
    cursor_release(&from);
    cursor_release(&to);
    return code;
}

/* Where blobs lie is written by pulls, too. */
enum error_code transfer_compare(const struct transfer *transfer, struct error *err)
{
    return for_tables(transfer, false, compare_table, err);
}

static enum error_code take_mark(struct sql_connection *connection, void *context,
                                 struct error *err)
{
    static const struct sql_query query = {
        .text = "delete from schema_version where version = $1",
        .values = {{.type = SQL_INTEGER, .integer = MIGRATE_BEING_FILLED}},
        .count = 1,
    };
    const enum error_code code = transfer_tables_skip_ids(connection, err);

    (void)context;
    return code ? code : sql_run(connection, &query, err);
}

enum error_code transfer_end(const struct transfer *transfer, struct error *err)
{
    return sql_write(transfer->to->sql, SQL_DURABLE, take_mark, NULL, err);
}
