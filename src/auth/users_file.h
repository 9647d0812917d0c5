#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/error.h"
#include "base/str.h"
#include "base/strbuf.h"

/*
 * The file of local users, one a line: `NAME:HASH:TEAM,TEAM`. Empty lines and those that begin with
 * # are skipped, and kept by changes. HASH is as crypt(5) writes it (libxcrypt). A team is as in
 * repository names: the part before the first slash.
 */
struct user {
    struct str name;
    struct str hash;
    struct str teams; /* one a line, as in struct identity */
};

struct users_file {
    struct user *users; /* in the file's order */
    size_t count;
    struct arena memory; /* where all of it lives; wiped */
};

enum { USERS_FILE_MAX_BYTES = 1024 * 1024, USER_NAME_MAX_LENGTH = 64 };

/* ERROR_INVALID names the line and what is wrong, never a hash. Release in any case. */
MUST_USE enum error_code users_file_parse(struct str text, struct users_file *file_out,
                                          struct error *err);

/* The whole file of that path. ERROR_NOT_FOUND: there is none. ERROR_INVALID as users_file_parse;
 * also if others than its owner and group may read it. */
MUST_USE enum error_code users_file_read(const char *path, struct strbuf *text_out,
                                         struct error *err);
void users_file_release(struct users_file *file);

/* NULL if there is no such user. */
const struct user *users_file_find(const struct users_file *file, struct str name);

/* A name: a letter or digit, then also . _ - @; not one that Basic has a meaning for. ERROR_INVALID
 * says what is wrong. */
MUST_USE enum error_code user_name_check(struct str name, struct error *err);

/* A team, as repository names have it. ERROR_INVALID says what is wrong. */
MUST_USE enum error_code user_team_check(struct str team, struct error *err);

enum users_change { USERS_ADD, USERS_CHANGE };

/*
 * Adds a user's line to the file, or changes it: `hash` or `teams` of {NULL, 0} stays as it is.
 * Atomic, durable; two at a time lose nothing (they lock PATH.lock). USERS_ADD makes a missing
 * file, of mode 0600; if root does, it is the folder's owner's. One that is there keeps owner and
 * mode. ERROR_CONFLICT: USERS_ADD, and the name is there. ERROR_NOT_FOUND: USERS_CHANGE, and it is
 * not. ERROR_INVALID: the file is wrong, before or after that, or a symbolic link.
 */
MUST_USE enum error_code users_file_update(const char *path, const struct user *user,
                                           enum users_change change, struct error *err);

/* A new password has at least so many characters (NIST SP 800-63B 5.1.1.1), whatever there was
 * before. */
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
