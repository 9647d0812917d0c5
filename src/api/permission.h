#pragma once

#include "access/policy.h"
#include "api/call.h"

/*
 * Whether the caller may do what the route does. Needs a waiter if somebody has to be asked.
 * ERROR_UNAUTHENTICATED, ERROR_DENIED, ERROR_UNAVAILABLE and ERROR_TOO_MANY as from policy_decide.
 */
MUST_USE enum error_code permission_check(struct call *call, struct error *err);

/*
 * The rule for one action in a team, for the caller as the provider knows it: a token of this
 * registry, which names none of the provider's scopes, is denied whatever it is.
 */
MUST_USE enum error_code permission_decide(struct call *call, enum policy_action action,
                                           struct str team, struct error *err);
