#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/json_value.h"
#include "base/str.h"
#include "base/strbuf.h"

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

/*
 * Base64 of the URL alphabet, without padding (RFC 4648 5, as RFC 7515 2 has it). Reading is
 * strict: each value has one form only, so that a token cannot be changed and stay valid.
 */
enum { BASE64URL_NOT = -1 };

/* How many bytes that many characters stand for at most. */
#define BASE64URL_DECODED_BYTES(length) ((length) / 4 * 3 + 2)

/* Writes at most BASE64URL_DECODED_BYTES(text.length) bytes. Returns how many, or BASE64URL_NOT for
 * padding, foreign characters, a length that cannot be, or unused bits that are not zero. */
MUST_USE long base64url_decode(struct str text, uint8_t *bytes_out);

void base64url_encode(struct str bytes, struct strbuf *text);

/* The usual alphabet, with padding (RFC 4648 4). */
void base64_encode(struct str bytes, struct strbuf *text);
