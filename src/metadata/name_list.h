#pragma once

#include "metadata/metadata_private.h"
#include "metadata/tags.h"

/* A page of names on its way; for the sources of this folder only. */
struct name_list {
    const struct name_query *query;
    struct name_page page;
};

/* Runs `work`, whose context is a name_list and which calls name_list_read, and gives the page. */
MUST_USE enum error_code name_list_fill(struct metadata *metadata, sql_work *work,
                                        const struct name_query *query, struct name_page *page_out,
                                        struct error *err);

/* Reads the names of a query that was asked for one more than the limit. */
MUST_USE enum error_code name_list_read(struct sql_connection *connection,
                                        const struct sql_query *query, struct name_list *list,
                                        struct error *err);
