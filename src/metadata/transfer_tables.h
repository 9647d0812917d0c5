#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/error.h"
#include "metadata/sql.h"

/* For the sources of this folder only. */

enum { TRANSFER_KEY_COLUMNS_MAX = 3 };

/*
 * What is moved of a table. The columns of its key come first, and are the first placeholders of
 * `select`, which asks for what is behind them; the last is how many. What says of itself which
 * team it belongs to, and what counts, is made anew by the destination's triggers.
 */
struct transfer_table {
    const char *name;
    const char *select;
    const char *insert; /* does nothing where the row is there */
    size_t columns;
    size_t key_columns;
    struct sql_value before_all[TRANSFER_KEY_COLUMNS_MAX];
    int64_t page_rows;
    const char *id;    /* the column whose values the database gives; NULL: none */
    bool has_content;  /* the second column has the digest that is the first */
    bool is_of_places; /* see struct transfer */
};

/* All of them: whatever is referred to stands before what refers to it. */
const struct transfer_table *transfer_tables(size_t *count_out);

/* New rows get ids behind those that were copied. */
MUST_USE enum error_code transfer_tables_skip_ids(struct sql_connection *connection,
                                                  struct error *err);
