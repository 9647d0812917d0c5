#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/str.h"
#include "base/strbuf.h"

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
