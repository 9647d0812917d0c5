#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "base/str.h"
#include "metadata/database_settings.h"

/*
 * What the registry knows beside its blobs: repositories, manifests (with their bytes), tags and
 * unfinished uploads. One handle, used by many threads at once; the queries are in manifests.h,
 * tags.h, repositories.h and uploads.h. All of them block: never call them on an event loop.
 *
 * Every function may fail with ERROR_UNAVAILABLE (the database cannot be reached or is too busy),
 * ERROR_NO_SPACE or ERROR_INTERNAL; headers name only what comes on top. Names given as str were
 * validated by the caller. Results are copied into the caller's arena; if it is too small,
 * ERROR_TOO_LARGE.
 */
struct metadata;

/* Who did something, as it is kept: employee alice is not service alice. */
struct actor {
    struct str kind; /* the word for it; `unknown` where it was not kept */
    struct str name;
};

/*
 * Opens the database that the settings name (not set: the SQLite database at default_path),
 * creating what is missing in it, and brings its schema up to date. settings must outlive it.
 * ERROR_INVALID if it is not a database of ours or newer than this program, with what to do.
 */
MUST_USE enum error_code metadata_open(const struct database_settings *settings,
                                       const char *default_path, struct metadata **metadata_out,
                                       struct error *err);

/*
 * The same beside a server that may be using it: creates and changes nothing. ERROR_INVALID also if
 * there is none, or its schema is not this program's.
 */
MUST_USE enum error_code metadata_join(const struct database_settings *settings,
                                       const char *default_path, struct metadata **metadata_out,
                                       struct error *err);

/*
 * Opens (creating it if needed) the SQLite database at that path and brings its schema up to date.
 * ERROR_INVALID if it is not a database of ours or newer than this program, with what to do.
 */
MUST_USE enum error_code metadata_open_sqlite(const char *path, struct metadata **metadata_out,
                                              struct error *err);

/*
 * The same beside a server that may be using it: creates and changes nothing. ERROR_INVALID also if
 * there is none, or its schema is not this program's.
 */
MUST_USE enum error_code metadata_join_sqlite(const char *path, struct metadata **metadata_out,
                                              struct error *err);

/* As metadata_open, to fill it with what another one has (transfer.h). */
MUST_USE enum error_code metadata_open_to_fill(const struct database_settings *settings,
                                               const char *default_path,
                                               struct metadata **metadata_out, struct error *err);
void metadata_free(struct metadata *metadata);
