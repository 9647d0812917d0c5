#pragma once

#include "api/call.h"

/*
 * Who calls: fills call->identity and call->user from what the request presents. Without a provider
 * everybody is the same, and call->identity stays NULL. If somebody has to be asked, it needs
 * (call_need) a waiter, and for a password a hasher. ERROR_INVALID, and else as
 * authenticator_identify.
 */
MUST_USE enum error_code login_authenticate(struct call *call, struct error *err);

/* The same with credentials that came in a form. */
MUST_USE enum error_code login_identify(struct call *call, struct error *err);

/* A call whose password has been verified, or will not be, leaves the queue; others do not matter.
 */
void login_leave_queue(struct call *call);

/*
 * What an upload is bound to: the caller's kind and name, in the arena; empty if nobody is known.
 */
struct str login_owner(struct call *call);

enum { LOGIN_FINGERPRINT_BYTES = 32 };

/* When what the request presents stops, or stopped, being good by itself; INT64_MAX: nobody knows.
 */
int64_t login_ends_ms(const struct call *call);

/*
 * What it is bound to besides: a fingerprint of the credentials that this
 * request presents, or that its registry token was given for; empty without any.
 */
struct str login_fingerprint(const struct call *call, char text[LOGIN_FINGERPRINT_BYTES]);

enum { LOGIN_KEPT_MAX_BYTES = 4096 }; /* of an Authorization field; longer ones are not kept */

/*
 * What the last request of a connection logged in with is kept, so that the next one, which mostly
 * presents the same, costs a comparison instead of a hash. Only tokens are kept, no passwords, and
 * only as long as the connection lasts; whether they still count is asked each time. Owned by the
 * connection (`session` of its exchanges). The identity, as a new reference, if the field is the
 * one that is kept and still counts; else NULL.
 */
struct identity *login_recall_kept(const struct call *call, struct str field);

/* The connection ends: wipes what is kept. The application's `leave`; NULL is accepted. */
void login_forget(void *context, void *session);
