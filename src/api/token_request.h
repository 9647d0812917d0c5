#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

enum { TOKEN_SCOPES_MAX = 32, TOKEN_ACTIONS_MAX = 8 };

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

/* A field of a query or a form (URL Standard "application/x-www-form-urlencoded"), decoded: '+' is
 * a space. Both are in the arena. */
struct form_field {
    struct str name;
    struct str value;
};

/*
 * Takes the next field off *rest. False at the end; *is_valid_out is false for one that is badly
 * encoded, holds NUL, or is too long for the arena.
 */
bool form_next(struct str *rest, struct arena *arena, struct form_field *field_out,
               bool *is_valid_out);

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
