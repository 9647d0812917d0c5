#pragma once

#include <stddef.h>

#include "api/call.h"

/*
 * A request's body that is collected in call->body, within the memory that all of them share
 * (body_memory.h). It has to arrive in a time that its size allows for: what it holds, others wait
 * for.
 */

/* How many bytes of it may be received now; 0: ask again a moment later. Not for longer than some
 * time: then appending says what is wrong. */
size_t collected_body_room(struct call *call);

/* ERROR_UNAVAILABLE if there was no memory for it. */
MUST_USE enum error_code collected_body_append(struct call *call, struct str bytes,
                                               struct error *err);

/* Forgets it, and gives its memory back. */
void collected_body_release(struct call *call);
