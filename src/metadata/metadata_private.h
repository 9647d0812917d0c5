#pragma once

#include "base/arena.h"
#include "base/digest.h"
#include "metadata/metadata.h"
#include "metadata/rows.h"
#include "metadata/sql.h"
#include "metadata/tags.h"

/* For the sources of this folder only. */
struct metadata {
    struct sql *sql;
};

/* A digest as a value; its text lives as long as this. */
struct digest_value {
    char text[DIGEST_TEXT_BYTES];
};

/* NULL gives SQL's null. */
struct sql_value metadata_digest_value(struct digest_value *storage, const struct digest *digest);

/* As rows_find, in a transaction of its own. */
MUST_USE enum error_code metadata_find_row(struct metadata *metadata, const struct sql_query *query,
                                           const struct row_reader *reader, struct error *err);

/* As rows_page. */
MUST_USE enum error_code metadata_read_page(struct metadata *metadata,
                                            const struct sql_query *query, struct row_page *page,
                                            struct error *err);

/* Whether a query gives a row. */
MUST_USE enum error_code metadata_has_row(struct metadata *metadata, const struct sql_query *query,
                                          bool *is_row_out, struct error *err);

/* Runs one statement that writes. */
MUST_USE enum error_code metadata_run(struct metadata *metadata, enum sql_durability durability,
                                      const struct sql_query *query, struct error *err);

/* … and says whether it gave a row. */
MUST_USE enum error_code metadata_run_for_row(struct metadata *metadata,
                                              enum sql_durability durability,
                                              const struct sql_query *query, bool *is_row_out,
                                              struct error *err);

/* The id of a repository. ERROR_NOT_FOUND about NAME. */
MUST_USE enum error_code metadata_repository_id(struct sql_connection *connection,
                                                struct str repository, int64_t *id_out,
                                                struct error *err);

/* A page whose rows are names: to be filled, or read by a query in a transaction of its own. */
struct row_page metadata_names(const struct name_query *query);
MUST_USE enum error_code metadata_read_names(struct metadata *metadata,
                                             const struct sql_query *query,
                                             const struct name_query *wanted,
                                             struct name_page *page_out, struct error *err);
