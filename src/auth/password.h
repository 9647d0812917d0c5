#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "base/error.h"
#include "base/str.h"

/* Password hashes as crypt(5) has them, through libxcrypt. */
/* A new one has at least so many characters (NIST SP 800-63B 5.1.1.1), whatever there was before.
 */
enum { PASSWORD_MIN_CHARACTERS = 8 };

enum { PASSWORD_MAX_BYTES = 511, PASSWORD_HASH_BYTES = 384 };

/* A yescrypt hash with a fresh salt. ERROR_INVALID: shorter than PASSWORD_MIN_CHARACTERS, or longer
 * than PASSWORD_MAX_BYTES. */
MUST_USE enum error_code password_hash(const char *password, char hash_out[PASSWORD_HASH_BYTES],
                                       struct error *err);

/* Whether it is the password of that hash. Takes as long as the hash was made to take. */
bool password_matches(const char *password, const char *hash);

/* Whether it is a hash of a kind that is strong enough today: yescrypt, scrypt, bcrypt, SHA-crypt.
 */
bool password_hash_is_strong(struct str hash);
