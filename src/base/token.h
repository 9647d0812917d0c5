#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/json_value.h"
#include "base/str.h"

/*
 * What tokens and the answers of those who give them say, for server and client. Nothing here is
 * checked: whoever believes a claim has verified the token, or asked somebody who did.
 */
enum token_time {
    TOKEN_TIME_TOLD = 0,
    TOKEN_TIME_ABSENT, /* no such member, or null */
    TOKEN_TIME_WRONG,  /* negative, behind the year 9999, or no time at all */
};

/*
 * A member that is a date (`exp`, `nbf`: RFC 7519 2, since 1970) or a duration (`expires_in`: RFC
 * 6749 5.1) in seconds: a number, with a fraction or without, or as some providers write it, its
 * digits as text. Milliseconds, whose sum with the wall clock fits.
 */
MUST_USE enum token_time token_read_time(const struct json_value *object, const char *name,
                                         int64_t *time_ms_out);

/* The `exp` of a token that is a JWT, by the wall clock. False: it tells none. */
MUST_USE bool token_peek_expiry(struct str token, int64_t *expires_ms_out);

/* A part of a JWT: NULL unless it is base64url of a JSON object. Free with json_value_free. Why not
 * is not told: it would show content. */
struct json_value *token_decode_part(struct str part);
