#pragma once

#include <stddef.h>

#include "api/token_scope.h"
#include "base/arena.h"
#include "base/error.h"

/* What a token is asked for: the fields of a query or a form that matter here. Borrows from the
 * arena that it was parsed into. */
struct token_request {
    struct str scopes[TOKEN_SCOPES_MAX];
    size_t scope_count;
    struct str grant_type;
    struct str user;
    struct str password;
    struct str refresh_token;
};

/* ERROR_INVALID: badly encoded, or more scopes than TOKEN_SCOPES_MAX. */
MUST_USE enum error_code token_request_parse(struct str form, struct arena *arena,
                                             struct token_request *request_out, struct error *err);
