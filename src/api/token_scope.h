#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

enum { TOKEN_SCOPES_MAX = 32, TOKEN_ACTIONS_MAX = 8 };

/* What a registry token is asked for: `repository:team/app:pull,push` (distribution "Token Scope
 * Documentation"). Borrows. */
struct token_scope {
    struct str type; /* without its class: `repository(plugin)` is a `repository` */
    struct str name;
    struct str actions; /* separated by commas */
};

/* What was granted, a line each, as a scope: distribution's OAuth 2.0 form requires that it is
 * told. In the arena; NULL if that is full. */
const char *token_scope_of(struct str grants, struct arena *arena);

/* Takes the next of several that are separated by spaces. False at the end; *is_valid_out is false
 * for one that cannot be read. */
bool token_scope_next(struct str *rest, struct token_scope *scope_out, bool *is_valid_out);
