#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "metadata/migrate.h"
#include "metadata/sql.h"

/*
 * SQLite in a file (created with mode 0600 if it is missing), in WAL mode: one connection writes,
 * up to SQLITE_READERS read at the same time. ERROR_INVALID if the file is no SQLite database or
 * cannot be opened.
 */
MUST_USE enum error_code sql_sqlite_open(const char *path, struct sql **sql_out, struct error *err);

enum { SQLITE_READERS = 16 };

/* How the schema of the metadata came to be in SQL of SQLite's: schema/sqlite/NNN-….sql. */
const struct migration *sql_sqlite_migrations(size_t *count_out);
