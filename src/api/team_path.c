#include "api/team_path.h"

#include <string.h>

#include "api/routes.h"

static const char teams[] = "/teams/";
static const char repositories[] = "/v1/repositories/";
static const char statistics[] = "/stats/teams/";
static const char distribution[] = "/v2/";
static const char artifacts[] = "artifacts/";

static enum error_code parse_rest(struct call *call, struct str rest, struct error *err);
static enum error_code parse_artifact(struct call *call, struct str team, struct str artifact,
                                      struct error *err);

bool team_path_is(const struct call *call)
{
    const struct str path = call->exchange->request.path;

    return path.length > 0 && !str_is(path, "/v2") && !str_starts_with(path, distribution);
}

enum error_code team_path_parse(struct call *call, struct error *err)
{
    const struct str pattern = str_from(call->route->pattern);
    const bool is_v1 = str_starts_with(pattern, repositories);
    char *decoded = NULL;
    struct str rest;
    struct str team;

    if (call->name.length == 0) {
        return OK;
    }
    decoded = arena_new(&call->exchange->arena, call->name.length + 1, 1);
    if (!decoded || !http_percent_decode(call->name, decoded, call->name.length + 1)) {
        return error_set(err, ERROR_INVALID, "the path is not well encoded");
    }
    rest = str_from(decoded);
    call->name = rest;
    if (!is_v1 && !str_starts_with(pattern, teams) && !str_starts_with(pattern, statistics)) {
        return OK;
    }
    (void)str_cut(&rest, '/', &team);
    call->team = team;
    if (is_v1) {
        return parse_artifact(call, team, rest, err);
    }
    return parse_rest(call, rest, err);
}

/* What stands behind the team: nothing where its artifacts are listed or counted, else one. */
static enum error_code parse_rest(struct call *call, struct str rest, struct error *err)
{
    const struct str pattern = str_from(call->route->pattern);
    const bool is_of_team =
        str_ends_with(pattern, "/artifacts") || str_ends_with(pattern, "{name}");

    if (is_of_team && !rest.bytes) {
        return OK;
    }
    if (is_of_team || !str_starts_with(rest, artifacts)) {
        return error_set(err, ERROR_NOT_FOUND, "there is nothing at this path");
    }
    return parse_artifact(call, call->team, str_from_index(rest, strlen(artifacts)), err);
}

static enum error_code parse_artifact(struct call *call, struct str team, struct str artifact,
                                      struct error *err)
{
    const char *const name =
        arena_format(&call->exchange->arena, "%.*s/%.*s", STR_FORMAT(team), STR_FORMAT(artifact));

    call->name = str_from(name);
    return repository_parse(call->name, &call->repository, err);
}
