#pragma once

#include "api/call.h"

/* Whether the path, known or not, is outside the distribution API; not if no path was understood.
 */
bool team_path_is(const struct call *call);

/*
 * Reads call->name of such a path: `TEAM`, `TEAM/artifacts/ARTIFACT` or (below /v1/repositories)
 * `TEAM/ARTIFACT`. Artifacts may hold slashes, also as %2F. Fills call->team, and call->repository
 * if an artifact is named. Of other paths, call->name is decoded. ERROR_NOT_FOUND: no path of ours.
 * ERROR_INVALID about NAME.
 */
MUST_USE enum error_code team_path_parse(struct call *call, struct error *err);
