#pragma once

#include <libpq-fe.h>

#include "base/error.h"
#include "base/str.h"

/* What PostgreSQL's failures mean; for the sources of sql_postgresql only. */
enum postgresql_failure {
    POSTGRESQL_WORKS = 0,
    POSTGRESQL_REFUSES,  /* trying again would not help */
    POSTGRESQL_COLLIDES, /* with other transactions: the same again may be done */
    POSTGRESQL_FORGETS,  /* prepared statements: somebody between us shares out connections */
    POSTGRESQL_IS_LOST,  /* the connection is of no use any more: another one may be */
};

/*
 * By the SQLSTATE (appendix A of PostgreSQL's manual); empty: the connection broke. One whose
 * server takes no writes (25006) is lost: it has become a standby, and others are pushed to now.
 */
enum postgresql_failure postgresql_failure_of(struct str state);

/* Of a result that is a failure. */
struct str postgresql_state_of(const PGresult *result);

/* Says what the server says of it, with the code for it. */
enum error_code postgresql_error_set(const PGresult *result, struct error *err);

/* The same of a connection: it could not be made, or is lost. ERROR_UNAVAILABLE. */
enum error_code postgresql_error_set_lost(const PGconn *handle, struct error *err);
