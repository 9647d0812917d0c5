/*
 * Who may do what. This is the whole rule.
 *
 *   Pull and list   whoever is authenticated (a machine known only by its instance identity
 *                   document may pull, not list), and, where reading is public, everybody.
 *   Push to TEAM/…  1. an employee who belongs to TEAM;
 *                   2. a service whose token has the scope application.write and whose
 *                      application belongs to TEAM;
 *                   3. a service whose token has the scope application.write_all or
 *                      application.write_all_trusted.
 *   Claim where an image was built from
 *                   a service whose token has the scope application.write_all_trusted.
 *
 * Whatever is unknown, missing or cannot be reached grants nothing.
 */
#include "access/policy.h"

static const char trusted_scope[] = "application.write_all_trusted";

/* Names are cut before the message is, so that it always says which condition failed. */
static struct str policy_shown(struct str name)
{
    enum { SHOWN_BYTES = 80 };

    return str_slice(name, 0, SHOWN_BYTES);
}

static enum error_code refuse_push(const struct identity *identity, struct str team,
                                   const char *reason, struct error *err)
{
    return error_set(err, ERROR_DENIED, "%s %.*s may not push to team %.*s: %s",
                     identity_kind_name(identity->kind), STR_FORMAT(policy_shown(identity->name)),
                     STR_FORMAT(policy_shown(team)), reason);
}

static enum error_code need_member(const struct identity *identity, struct str team,
                                   const struct policy_lookup *lookup, struct error *err)
{
    struct error reason = {0};
    enum error_code code = OK;

    if (identity_names_team(identity, team)) {
        return OK;
    }
    code = lookup->is_member(lookup->context, identity, team, &reason);
    if (code == OK) {
        return OK;
    }
    if (code == ERROR_DENIED) {
        return refuse_push(identity, team, reason.message, err);
    }
    if (err) {
        *err = reason;
    }
    return code == ERROR_TOO_MANY ? ERROR_TOO_MANY : ERROR_UNAVAILABLE;
}

static enum error_code decide_push(const struct identity *identity, struct str team,
                                   const struct policy_lookup *lookup, struct error *err)
{
    if (team.length == 0) {
        return refuse_push(identity, team, "the repository belongs to none", err);
    }
    switch (identity->kind) {
    case IDENTITY_EMPLOYEE: /* 1 */
        return need_member(identity, team, lookup, err);
    case IDENTITY_SERVICE:
        if (identity_has_scope(identity, "application.write_all") || /* 3 */
            identity_has_scope(identity, trusted_scope)) {
            return OK;
        }
        if (identity_has_scope(identity, "application.write")) { /* 2 */
            return need_member(identity, team, lookup, err);
        }
        return refuse_push(identity, team,
                           "its token has neither the scope application.write nor "
                           "application.write_all",
                           err);
    case IDENTITY_INSTANCE:
        return refuse_push(identity, team, "a machine may pull, and nothing else", err);
    case IDENTITY_UNKNOWN:
    case IDENTITY_ANONYMOUS: /* asked to log in already */
        break;
    }
    return refuse_push(identity, team, "it is known neither as an employee nor as a service", err);
}

static enum error_code decide_claim(const struct identity *identity, struct error *err)
{
    if (identity->kind == IDENTITY_SERVICE && identity_has_scope(identity, trusted_scope)) {
        return OK;
    }
    return error_set(err, ERROR_DENIED,
                     "%.*s may not say where an image was built from: that takes a service with "
                     "the scope application.write_all_trusted",
                     STR_FORMAT(policy_shown(identity->name)));
}

enum error_code policy_decide(const struct identity *identity, enum policy_action action,
                              struct str team, const struct policy_lookup *lookup,
                              struct error *err)
{
    const bool reads = action == ACTION_PULL || action == ACTION_LIST;

    if (!identity || (identity->kind == IDENTITY_ANONYMOUS && !reads)) {
        return error_set(err, ERROR_UNAUTHENTICATED, "log in first");
    }
    switch (action) {
    case ACTION_PULL:
        return OK;
    case ACTION_LIST:
        return identity->kind == IDENTITY_INSTANCE
                   ? error_set(err, ERROR_DENIED, "%.*s may pull, and nothing else",
                               STR_FORMAT(policy_shown(identity->name)))
                   : OK;
    case ACTION_PUSH:
        return decide_push(identity, team, lookup, err);
    case ACTION_CLAIM_SCM_SOURCE:
        return decide_claim(identity, err);
    case ACTION_NONE:
        break;
    }
    return error_set(err, ERROR_DENIED, "nobody may do this");
}
