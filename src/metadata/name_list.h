#pragma once

#include "metadata/metadata_private.h"
#include "metadata/tags.h"

/* A page of names on its way; for the sources of this folder only. */
struct name_list {
    struct str repository; /* of a list of tags */
    struct str after;
    size_t limit;
    struct arena *arena;
    struct name_page page;
};

/* Runs `work`, which calls name_list_read, and gives the page it filled. */
MUST_USE enum error_code name_list_fill(struct metadata *metadata, sql_work *work,
                                        struct name_list *list, struct name_page *page_out,
                                        struct error *err);

/* Reads the names of a query that was asked for one more than the limit. */
MUST_USE enum error_code name_list_read(struct sql_connection *connection,
                                        const struct sql_query *query, struct name_list *list,
                                        struct error *err);
