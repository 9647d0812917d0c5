#pragma once

#include "base/str.h"
#include "outbound/http_client.h"

/* Reads a line of an answer's head: keeps it if it is wanted (names, NULL behind the last; NULL:
 * none), and what Cache-Control says in any case. */
void answer_take_field(struct outbound_answer *answer, const char *const *wanted, struct str line);
