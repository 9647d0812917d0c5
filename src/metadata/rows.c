#include "metadata/rows.h"

static struct sql_value next_value(struct row *row)
{
    return row->code ? sql_null() : sql_rows_column(row->rows, row->column++);
}

bool row_is_null(const struct row *row)
{
    return row->code || sql_rows_column(row->rows, row->column).type == SQL_NULL;
}

int64_t row_integer(struct row *row)
{
    return next_value(row).integer;
}

uint64_t row_size(struct row *row)
{
    return (uint64_t)row_integer(row);
}

bool row_bool(struct row *row)
{
    return row_integer(row) != 0;
}

struct str row_text(struct row *row)
{
    const struct str value = row_borrowed_text(row);
    const struct str copy = row->code ? (struct str){0} : arena_copy(row->arena, value);

    if (!copy.bytes && !row->code) {
        row->code =
            error_set(row->err, ERROR_TOO_LARGE, "the answer is larger than a request's memory");
    }
    return copy;
}

struct str row_long_text(struct row *row)
{
    const struct str text = row_text(row);

    row->long_bytes += text.length;
    return text;
}

struct str row_borrowed_text(struct row *row)
{
    return next_value(row).bytes;
}

struct digest row_digest(struct row *row)
{
    struct digest digest = {0};
    const struct str text = row_borrowed_text(row);

    if (!row->code && digest_parse(text, &digest, NULL)) {
        row->code = error_set(row->err, ERROR_INTERNAL, "the database holds a digest that is none");
    }
    return digest;
}

bool row_optional_digest(struct row *row, struct digest *digest_out)
{
    if (row_is_null(row)) {
        (void)next_value(row);
        return false;
    }
    *digest_out = row_digest(row);
    return !row->code;
}

void row_read_integer(struct row *row, void *into)
{
    int64_t *integer = into;

    *integer = row_integer(row);
}

void row_read_digest(struct row *row, void *into)
{
    struct digest *digest = into;

    *digest = row_digest(row);
}

/* Moves on, and reads where there is a row. */
static enum error_code read_next(struct row *row, struct sql_rows *rows,
                                 const struct row_reader *reader, bool *is_row_out)
{
    const enum error_code code = sql_rows_next(rows, is_row_out, row->err);

    if (code || !*is_row_out) {
        return code;
    }
    row->rows = rows;
    row->column = 0;
    row->long_bytes = 0;
    if (reader->read) {
        reader->read(row, reader->into);
    }
    return row->code;
}

enum error_code rows_find(struct sql_connection *connection, const struct sql_query *query,
                          const struct row_reader *reader, struct error *err)
{
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    struct row row = {.arena = reader->arena, .err = err};
    bool is_row = false;
    enum error_code code = sql_query(connection, query, &rows, err);

    if (!code) {
        code = read_next(&row, rows, reader, &is_row);
    }
    return code || is_row ? code : ERROR_NOT_FOUND;
}

static const struct sql_query *question_query(const void *context, size_t i)
{
    const struct row_question *questions = context;

    return &questions[i].query;
}

static enum error_code answer_question(void *context, size_t i, struct sql_rows *rows,
                                       struct error *err)
{
    struct row_question *question = (struct row_question *)context + i;
    struct row row = {.arena = question->reader.arena, .err = err};

    return read_next(&row, rows, &question->reader, &question->is_found);
}

enum error_code rows_find_all(struct sql_connection *connection, struct row_question *questions,
                              size_t count, struct error *err)
{
    const struct sql_batch batch = {count, questions, question_query, answer_question};

    return sql_batch_run(connection, &batch, err);
}

/* Reads each row with the same reader. */
static enum error_code read_each(struct sql_connection *connection, const struct sql_query *query,
                                 const struct row_reader *reader, struct error *err)
{
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    struct row row = {.arena = reader->arena, .err = err};
    bool is_row = true;
    enum error_code code = sql_query(connection, query, &rows, err);

    while (!code && is_row && !row.is_last) {
        code = read_next(&row, rows, reader, &is_row);
    }
    return code;
}

/* A page on its way. */
struct filling {
    struct row_page *page;
    size_t long_bytes;
};

/* What is too much is read before it is known to be: then it does not count. */
static void read_item(struct row *row, void *into)
{
    struct filling *filling = into;
    struct row_page *page = filling->page;

    page->has_more = page->count == page->limit;
    if (!page->has_more) {
        page->read(row, (char *)page->items + page->count * page->item_bytes);
        filling->long_bytes += row->long_bytes;
        page->has_more = page->long_bytes_limit > 0 && page->count > 0 &&
                         filling->long_bytes > page->long_bytes_limit;
    }
    page->count += page->has_more ? 0 : 1;
    row->is_last = page->has_more;
}

enum error_code rows_page(struct sql_connection *connection, const struct sql_query *query,
                          struct row_page *page, struct error *err)
{
    page->count = 0;
    return rows_page_more(connection, query, page, err);
}

enum error_code rows_page_more(struct sql_connection *connection, const struct sql_query *query,
                               struct row_page *page, struct error *err)
{
    struct filling filling = {.page = page};
    const struct row_reader reader = {read_item, &filling, page->arena};

    page->has_more = false;
    if (!page->items) {
        page->items = arena_new(page->arena, page->limit, page->item_bytes);
    }
    if (!page->items) {
        return error_set(err, ERROR_TOO_LARGE, "a list of %zu is larger than a request's memory",
                         page->limit);
    }
    return read_each(connection, query, &reader, err);
}
