#pragma once

#include <stddef.h>

#include "base/attributes.h"
#include "base/error.h"
#include "metadata/sql.h"

/*
 * The one connection that writes, and whoever waits for it; for the sources of sql_sqlite only.
 * What comes while a commit is being flushed waits, and is then committed together: many small
 * pushes share a flush.
 */
struct sqlite_writer;

enum { WRITES_PER_COMMIT = 64 };

/* path must outlive the writer. */
MUST_USE enum error_code sqlite_writer_new(struct sql *sql, const char *path,
                                           struct sqlite_writer **writer_out, struct error *err);

/* NULL is accepted. */
void sqlite_writer_free(struct sqlite_writer *writer);

/* As sql_write. The work may run on another caller's thread. */
MUST_USE enum error_code sqlite_writer_run(struct sqlite_writer *writer,
                                           enum sql_durability durability, sql_work *work,
                                           void *context, struct error *err);

/* How many callers are in the queue now, without those whose works are running. */
size_t sqlite_writer_count_waiting(struct sqlite_writer *writer);
