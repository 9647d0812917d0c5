#pragma once

#include "api/call.h"

/*
 * What the last request of a connection logged in with, so that the next one, which mostly presents
 * the same, costs a comparison instead of a hash. Only tokens are kept, no passwords, and only as
 * long as the connection lasts; whether they still count is asked each time. Owned by the
 * connection (`session` of its exchanges).
 */
struct known_login;

enum { KNOWN_LOGIN_MAX_BYTES = 4096 }; /* of a field; longer ones are not kept */

/* The identity, as a new reference, if the field is the last one's and still counts; else NULL. */
struct identity *known_login_recall(const struct call *call, struct str field);

/* The field has led to call->ticket. */
void known_login_keep(struct call *call, struct str field);

/* The connection ends: wipes it. The application's `leave`; a session of NULL is accepted. */
void known_login_leave(void *context, void *session);
