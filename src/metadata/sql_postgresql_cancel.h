#pragma once

#include <libpq-fe.h>

/*
 * Closes a connection whose server is late, and has the server stop what it does for it; for the
 * sources of sql_postgresql only. Returns at once. Closing alone would not do: a server that waits
 * for a lock does not look whether anybody is left, and keeps the locks that it has.
 */
void postgresql_cancel_and_close(PGconn *handle);
