#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "metadata/sql.h"

/* Reading what a query gives; for the sources of this folder only. */

/*
 * A row, whose columns are read one after the other, in the order in which the query names them
 * (so a statement each: C evaluates an initialiser in any order). The first failure sticks, and is
 * what running the query returns; from then on each column reads as null. Null reads as 0, or as an
 * empty text.
 */
struct row {
    const struct sql_rows *rows;
    struct arena *arena; /* for texts */
    int column;          /* the next one */
    size_t long_bytes;   /* of its row_long_text */
    bool is_last;        /* a reader that wants no more of them sets it */
    enum error_code code;
    struct error *err;
};

bool row_is_null(const struct row *row); /* the next column; does not go past it */
int64_t row_integer(struct row *row);
uint64_t row_size(struct row *row);
bool row_bool(struct row *row);

/* Text or bytes, copied into the arena. ERROR_TOO_LARGE if that is full. */
struct str row_text(struct row *row);

/* The same of what may be long: counts towards the limit of a page. */
struct str row_long_text(struct row *row);

/* Not copied: until the next row. */
struct str row_borrowed_text(struct row *row);

/* ERROR_INTERNAL if it is none. */
struct digest row_digest(struct row *row);

/* False if it is null. */
bool row_optional_digest(struct row *row, struct digest *digest_out);

/* Reads a row into `into`, which it sets as a whole. */
typedef void row_read(struct row *row, void *into);

struct row_reader {
    row_read *read;
    void *into;
    struct arena *arena; /* NULL: no text is copied */
};

/* For a query of one integer, or one digest. */
void row_read_integer(struct row *row, void *into);
void row_read_digest(struct row *row, void *into);

/* A list in the arena, an item a row. */
struct row_page {
    row_read *read;
    size_t item_bytes;
    size_t limit;            /* the query asks for one more, if it matters that there is */
    size_t long_bytes_limit; /* ends it early, but for its first item; 0: nothing does */
    struct arena *arena;

    void *items; /* the result; NULL before */
    size_t count;
    bool has_more;
};

/* Reads the first row. ERROR_NOT_FOUND, without a message, if there is none. */
MUST_USE enum error_code rows_find(struct sql_connection *connection, const struct sql_query *query,
                                   const struct row_reader *reader, struct error *err);

/* One of several questions that are asked at once. */
struct row_question {
    struct sql_query query;
    struct row_reader reader; /* of the first row; without `read`: it is enough that there is one */
    bool is_found;            /* the answer: whether there is */
};

/* Asks them, in order; where the database is far away, in one round trip. */
MUST_USE enum error_code rows_find_all(struct sql_connection *connection,
                                       struct row_question *questions, size_t count,
                                       struct error *err);

/* Fills a page anew, as a work that is repeated must. ERROR_TOO_LARGE if the arena is full. */
MUST_USE enum error_code rows_page(struct sql_connection *connection, const struct sql_query *query,
                                   struct row_page *page, struct error *err);

/* Puts more rows behind those that a page has. */
MUST_USE enum error_code rows_page_more(struct sql_connection *connection,
                                        const struct sql_query *query, struct row_page *page,
                                        struct error *err);
