#pragma once

#include "auth/identity.h"
#include "base/attributes.h"
#include "base/error.h"
#include "base/str.h"

/* What somebody wants to do. The zero value is refused to everybody. */
enum policy_action {
    ACTION_NONE = 0,
    ACTION_PULL,
    ACTION_PUSH,
    ACTION_LIST,             /* all repositories */
    ACTION_CLAIM_SCM_SOURCE, /* say where an image was built from: application.write_all_trusted */
};

/*
 * Whether somebody belongs to a team: what the rule asks and does not know itself.
 * OK: yes. ERROR_DENIED: no, err says who was asked. ERROR_UNAVAILABLE: those who would know
 * cannot be reached. ERROR_TOO_MANY: they were asked too often.
 */
struct policy_lookup {
    enum error_code (*is_member)(void *context, const struct identity *identity, struct str team,
                                 struct error *err);
    void *context;
};

/*
 * The whole rule, see policy.c. OK: allowed. ERROR_UNAUTHENTICATED: nobody is known, and it takes
 * somebody. ERROR_DENIED: err names who, the team, and which condition failed. ERROR_UNAVAILABLE,
 * ERROR_TOO_MANY: it depends on a look-up that failed. Never allows what it does not know.
 */
MUST_USE enum error_code policy_decide(const struct identity *identity, enum policy_action action,
                                       struct str team, const struct policy_lookup *lookup,
                                       struct error *err);
