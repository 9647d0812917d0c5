#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "metadata/sql.h"

/*
 * A numbered step of the schema; versions count from 1 without gaps. One without a script was never
 * in a database of that kind: the next one that has a script does what it did, too.
 */
struct migration {
    const char *name;
    const char *script;
    int64_t
        oldest; /* the oldest version whose programs run on what it leaves; 0: only from its own */
};

/* migrate or migrate_check. */
typedef enum error_code migrating(struct sql *sql, const struct migration *migrations, size_t count,
                                  struct error *err);

/*
 * Brings a database from whatever version it is at to `count`, each step in a transaction of its
 * own, one program at a time. ERROR_INVALID if it is at a later version that programs of `count` do
 * not run on: then a newer program has been here.
 */
MUST_USE enum error_code migrate(struct sql *sql, const struct migration *migrations, size_t count,
                                 struct error *err);

/*
 * The version of a database that is being filled with another one's rows (transfer.h), beside those
 * of its schema: no program knows it, older ones neither, and so none takes it for whole.
 */
enum { MIGRATE_BEING_FILLED = 1000000000 };

/* As migrate, for whoever fills it: whether it is being filled does not matter. */
MUST_USE enum error_code migrate_to_fill(struct sql *sql, const struct migration *migrations,
                                         size_t count, struct error *err);

/* Changes nothing. ERROR_INVALID if the database is not at `count`, nor at a later version that
 * programs of `count` run on. */
MUST_USE enum error_code migrate_check(struct sql *sql, const struct migration *migrations,
                                       size_t count, struct error *err);
