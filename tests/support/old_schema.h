#pragma once

#include "base/strbuf.h"

/* Appends SQL that takes a database of today back to what a program with the schema `version` (5 or
 * later) left: to be run by hand, on a connection of the test's own. */
void old_schema_append(struct strbuf *script, int version);
