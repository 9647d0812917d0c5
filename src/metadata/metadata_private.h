#pragma once

#include "base/arena.h"
#include "base/digest.h"
#include "metadata/metadata.h"
#include "metadata/sql.h"

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

/* A column that holds a digest. ERROR_INTERNAL if it does not. */
MUST_USE enum error_code metadata_read_digest(const struct sql_rows *rows, int column,
                                              struct digest *digest_out, struct error *err);

/* ERROR_NOT_FOUND about UPLOAD. */
MUST_USE enum error_code metadata_no_such_upload(struct str repository, struct error *err);

/* A column's text or bytes, copied into the arena. ERROR_TOO_LARGE if that is full. */
MUST_USE enum error_code metadata_read_text(const struct sql_rows *rows, int column,
                                            struct arena *arena, struct str *text_out,
                                            struct error *err);

/* Room for a list of at most limit results. ERROR_TOO_LARGE if the arena has none. */
MUST_USE enum error_code metadata_new_list(struct arena *arena, size_t limit, size_t size,
                                           void **list_out, struct error *err);

/* The id of a repository. ERROR_NOT_FOUND about NAME. */
MUST_USE enum error_code metadata_repository_id(struct sql_connection *connection,
                                                struct str repository, int64_t *id_out,
                                                struct error *err);
