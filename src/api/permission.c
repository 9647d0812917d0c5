#include "api/permission.h"

#include <assert.h>
#include <stdio.h>

#include "access/team_directory.h"
#include "api/call.h"
#include "api/routes.h"
#include "auth/registry_token.h"

enum { RESOURCE_BYTES = sizeof("repository:") + REPOSITORY_MAX_LENGTH };

static const char log_in_first[] = "log in first: pulling is open to anybody and pushing is not";

/* What a route's access means. */
struct demand {
    enum policy_action action;
    const char *grant; /* the action as registry tokens name it */
};

static struct demand demand_of(enum access access)
{
    switch (access) {
    case ACCESS_PULL:
        return (struct demand){ACTION_PULL, "pull"};
    case ACCESS_PUSH:
        return (struct demand){ACTION_PUSH, "push"};
    case ACCESS_CATALOG:
        return (struct demand){ACTION_LIST, "*"};
    case ACCESS_NOBODY:
    case ACCESS_PUBLIC:
    case ACCESS_LOGIN:
    case ACCESS_TOKEN:
    case ACCESS_UPLOAD:
        break;
    }
    return (struct demand){ACTION_NONE, ""};
}

/* The rule was applied when the token was made: all that counts now is what it grants. */
static enum error_code check_grant(struct call *call, const struct demand *demand,
                                   struct error *err)
{
    const bool is_catalog = demand->action == ACTION_LIST;
    char resource[RESOURCE_BYTES];
    struct str reason = {0};

    (void)snprintf(resource, sizeof(resource), is_catalog ? "registry:catalog" : "repository:%.*s",
                   STR_FORMAT(call->repository.name));
    switch (registry_token_grant(call->identity, str_from(resource), demand->grant, &reason)) {
    case GRANT_GIVEN:
        return OK;
    case GRANT_REFUSED:
        if (call->identity->kind != IDENTITY_ANONYMOUS) {
            return error_set(err, ERROR_DENIED, "%.*s", STR_FORMAT(reason));
        }
        break;
    case GRANT_NOT_ASKED:
        break;
    }
    call->challenge_error = "insufficient_scope";
    if (call->identity->kind == IDENTITY_ANONYMOUS && demand->action == ACTION_PUSH) {
        call->challenge_description = log_in_first;
        return error_set(err, ERROR_UNAUTHENTICATED, "%s", log_in_first);
    }
    return error_set(err, ERROR_UNAUTHENTICATED, "the token does not grant %s on %s", demand->grant,
                     resource);
}

static enum error_code caller_is_member(void *context, const struct identity *identity,
                                        struct str team, struct error *err)
{
    struct call *call = context;
    const struct credentials *credentials = &call->credentials;
    const struct team_question question = {
        .identity = identity,
        .token = credentials->kind == CREDENTIALS_TOKEN ? credentials->secret.bytes : NULL,
        .team = team,
    };

    bool must_ask = false;
    const enum error_code code = team_directory_is_member(
        call->api->config.teams, &question, call->exchange->thread == HTTP_WAITER, &must_ask, err);

    return must_ask ? call_need(call, HTTP_WAITER, err) : code;
}

enum error_code permission_decide(struct call *call, enum policy_action action, struct str team,
                                  struct error *err)
{
    const struct policy_lookup lookup = {caller_is_member, call};

    if (call->identity && call->identity->is_limited) {
        return error_set(err, ERROR_DENIED,
                         "a token of this registry carries pull and push alone: present the "
                         "provider's own token of %.*s",
                         STR_FORMAT(call->identity->name));
    }
    return policy_decide(call->identity, action, team, &lookup, err);
}

static enum error_code check_right(struct call *call, const struct demand *demand,
                                   struct error *err)
{
    return call->identity && call->identity->is_limited
               ? check_grant(call, demand, err)
               : permission_decide(call, demand->action, call->repository.team, err);
}

enum error_code permission_check(struct call *call, struct error *err)
{
    const struct demand demand = demand_of(call->route->access);
    enum error_code code = OK;

    assert(call->route);
    switch (call->route->access) {
    case ACCESS_NOBODY:
        return error_set(err, ERROR_DENIED, "nobody may do this");
    case ACCESS_PUBLIC:
    case ACCESS_LOGIN:
    case ACCESS_TOKEN:
    case ACCESS_UPLOAD: /* was authorised when it began, and is bound to who began it */
        return OK;
    case ACCESS_PULL:
    case ACCESS_PUSH:
    case ACCESS_CATALOG:
        break;
    }
    if (!call->api->config.authenticator) {
        return OK; /* open: main sees to it that only this machine gets here, unless told otherwise
                    */
    }
    code = check_right(call, &demand, err);
    if (code == ERROR_DENIED && demand.action == ACTION_PUSH) {
        err->topic = ABOUT_PUSH;
    }
    return code;
}
