#include "auth/users_file.h"

#include <assert.h>
#include <crypt.h>
#include <errno.h>
#include <nettle/memops.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/ascii.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"

enum { ARENA_BYTES = 4 * USERS_FILE_MAX_BYTES, USERS_MAX = 16 * 1024 };

enum { SALT_BYTES = 16 };

static_assert(PASSWORD_HASH_BYTES == CRYPT_OUTPUT_SIZE,
              "a hash has as much room as crypt gives it");
static_assert(PASSWORD_MAX_BYTES < CRYPT_MAX_PASSPHRASE_SIZE, "no password is cut");

static enum error_code users_file_keep(struct users_file *file, struct str text,
                                       struct str *kept_out, struct error *err)
{
    const struct str copy = arena_copy(&file->memory, text);

    if (!copy.bytes) {
        return error_set(err, ERROR_INVALID, "the file is too large");
    }
    *kept_out = copy;
    return OK;
}

static enum error_code users_file_parse_teams(struct str teams, struct users_file *file,
                                              struct user *user, struct error *err)
{
    struct strbuf lines;
    struct str team;
    enum error_code code = OK;

    strbuf_init(&lines, teams.length + 1);
    while (!code && str_cut(&teams, ',', &team)) {
        team = str_trim(team);
        if (team.length > 0) {
            code = user_team_check(team, NULL);
            strbuf_append(&lines, team);
            strbuf_append_byte(&lines, '\n');
        }
    }
    if (code) { /* in a line gone wrong, that may be a hash: it is not quoted */
        code = error_set(err, code,
                         "the teams of %.*s must be of small letters and digits, with . _ - "
                         "between them, separated by commas",
                         STR_FORMAT(user->name));
    } else {
        code = users_file_keep(file, strbuf_str(&lines), &user->teams, err);
    }
    strbuf_release(&lines);
    return code;
}

static enum error_code users_file_parse_line(struct str line, struct users_file *file,
                                             struct error *err)
{
    struct user user = {0};
    struct str rest = line;
    struct str name;
    struct str hash;
    enum error_code code = OK;

    if (!str_cut(&rest, ':', &name) || !rest.bytes || !str_cut(&rest, ':', &hash) || !rest.bytes) {
        return error_set(err, ERROR_INVALID, "is not NAME:HASH:TEAM,TEAM");
    }
    code = user_name_check(name, err);
    if (!code && users_file_find(file, name)) {
        code = error_set(err, ERROR_INVALID, "the user %.*s is there already", STR_FORMAT(name));
    }
    if (!code && (!password_hash_is_strong(hash) || hash.length >= PASSWORD_HASH_BYTES)) {
        code = error_set(err, ERROR_INVALID,
                         "the hash of %.*s is of no kind that is strong enough: remove the line, "
                         "then give a new password with `pieroned user add`",
                         STR_FORMAT(name));
    }
    if (!code && file->count == USERS_MAX) {
        code = error_set(err, ERROR_INVALID, "there are more than %d users", USERS_MAX);
    }
    code = code ? code : users_file_keep(file, name, &user.name, err);
    code = code ? code : users_file_keep(file, hash, &user.hash, err);
    code = code ? code : users_file_parse_teams(rest, file, &user, err);
    if (!code) {
        file->users[file->count++] = user;
    }
    return code;
}

enum error_code users_file_parse(struct str text, struct users_file *file_out, struct error *err)
{
    struct str line;
    size_t number = 0;

    *file_out = (struct users_file){0};
    arena_init(&file_out->memory, ARENA_BYTES);
    file_out->memory.is_secret = true;
    file_out->users = arena_new(&file_out->memory, USERS_MAX, sizeof(*file_out->users));
    while (str_cut(&text, '\n', &line)) {
        struct error reason = {0};

        number++;
        line = str_trim(str_slice(line, 0, line.length - (str_ends_with(line, "\r") ? 1 : 0)));
        if (line.length == 0 || line.bytes[0] == '#') {
            continue;
        }
        if (users_file_parse_line(line, file_out, &reason)) {
            return error_set(err, ERROR_INVALID, "line %zu: %s", number, reason.message);
        }
    }
    return OK;
}

enum error_code users_file_read(const char *path, struct strbuf *text_out, struct error *err)
{
    mode_t mode = 0;
    const enum error_code code = file_read(path, FILE_REGULAR, text_out, &mode);

    if (code == ERROR_NOT_FOUND && errno == ENOENT) {
        return error_set(err, ERROR_NOT_FOUND,
                         "there is no users file %s: `pieroned user add NAME --team TEAM "
                         "--users-file %s` makes it",
                         path, path);
    }
    if (code == ERROR_INVALID) {
        return error_set(err, ERROR_INVALID, "%s is not a regular file", path);
    }
    if (mode & S_IRWXO) {
        return error_set(err, ERROR_INVALID,
                         "everybody may read the password hashes in %s: `chmod o= %s`", path, path);
    }
    if (code == ERROR_TOO_LARGE) {
        return error_set(err, ERROR_INVALID, "%s has more than %d bytes", path,
                         USERS_FILE_MAX_BYTES);
    }
    return code ? error_set_errno(err, "cannot read %s", path) : OK;
}

void users_file_release(struct users_file *file)
{
    arena_release(&file->memory);
    file->users = NULL;
    file->count = 0;
}

const struct user *users_file_find(const struct users_file *file, struct str name)
{
    for (size_t i = 0; i < file->count; i++) {
        if (str_equal(file->users[i].name, name)) {
            return &file->users[i];
        }
    }
    return NULL;
}

/* strchr finds NUL, too. */
static bool is_mark(char byte)
{
    return byte != '\0' && strchr("._-@", byte);
}

enum error_code user_name_check(struct str name, struct error *err)
{
    if (name.length == 0 || name.length > USER_NAME_MAX_LENGTH) {
        return error_set(err, ERROR_INVALID, "a user's name has 1 to %d characters",
                         USER_NAME_MAX_LENGTH);
    }
    for (size_t i = 0; i < name.length; i++) {
        if (!ascii_is_letter_or_digit(name.bytes[i]) && (i == 0 || !is_mark(name.bytes[i]))) {
            return error_set(err, ERROR_INVALID,
                             "a user's name is made of letters and digits, and of . _ - @ behind "
                             "the first");
        }
    }
    if (str_is(name, "oauth2") || str_is(name, "instance-identity-document") ||
        str_is(name, "anonymous")) {
        return error_set(err, ERROR_INVALID, "the name %.*s has a meaning of its own",
                         STR_FORMAT(name));
    }
    return OK;
}

enum error_code user_team_check(struct str team, struct error *err)
{
    bool is_good = team.length > 0 && team.length <= USER_NAME_MAX_LENGTH;

    for (size_t i = 0; is_good && i < team.length; i++) {
        const char byte = team.bytes[i];
        const bool is_edge = i == 0 || i == team.length - 1;

        is_good = ascii_is_lower(byte) || ascii_is_digit(byte) ||
                  (!is_edge && strchr("._-", byte) && byte != '\0');
    }
    if (!is_good) {
        return error_set(err, ERROR_INVALID,
                         "\"%.*s\" is no team: one is made of small letters and digits, with . _ - "
                         "between them",
                         STR_FORMAT(str_slice(team, 0, USER_NAME_MAX_LENGTH)));
    }
    return OK;
}

/* Of UTF-8: continuation bytes are no characters of their own. */
static size_t count_characters(const char *text)
{
    size_t count = 0;

    for (; *text; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count;
}

/* crypt_data takes 32 KB, and holds the password: heap, and wiped. */
static bool hash_with(const char *password, const char *setting, char hash_out[PASSWORD_HASH_BYTES])
{
    struct crypt_data *data = memory_new(1, sizeof(*data));
    const char *const hash = crypt_rn(password, setting, data, sizeof(*data));

    if (hash) {
        memcpy(hash_out, hash, strlen(hash) + 1);
    }
    explicit_bzero(data, sizeof(*data));
    free(data);
    return hash != NULL;
}

enum error_code password_hash(const char *password, char hash_out[PASSWORD_HASH_BYTES],
                              struct error *err)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    char salt[SALT_BYTES];

    if (count_characters(password) < PASSWORD_MIN_CHARACTERS) {
        return error_set(err, ERROR_INVALID, "a password needs at least %d characters",
                         PASSWORD_MIN_CHARACTERS);
    }
    if (strlen(password) > PASSWORD_MAX_BYTES) {
        return error_set(err, ERROR_INVALID, "a password has at most %d bytes", PASSWORD_MAX_BYTES);
    }
    random_fill(salt, sizeof(salt));
    if (!crypt_gensalt_rn("$y$", 0, salt, sizeof(salt), setting, sizeof(setting)) ||
        !hash_with(password, setting, hash_out)) {
        return error_set(err, ERROR_INTERNAL, "libcrypt cannot hash with yescrypt");
    }
    return OK;
}

bool password_matches(const char *password, const char *hash)
{
    char found[PASSWORD_HASH_BYTES] = "";
    const size_t length = strlen(hash);
    bool is_equal = false;

    if (strlen(password) > PASSWORD_MAX_BYTES || !hash_with(password, hash, found)) {
        return false;
    }
    is_equal = strlen(found) == length && memeql_sec(found, hash, length) == 1;
    explicit_bzero(found, sizeof(found));
    return is_equal;
}

/* crypt(5): "entirely printable ASCII", without white space and the characters : ; * ! and \. */
static bool is_hash_byte(char byte)
{
    return byte > ' ' && byte <= '~' && !strchr(":;*!\\", byte);
}

bool password_hash_is_strong(struct str hash)
{
    static const char *const strong[] = {"$y$",  "$gy$", "$7$", "$2b$",
                                         "$2y$", "$2a$", "$6$", "$5$"};

    for (size_t i = 0; i < hash.length; i++) {
        if (!is_hash_byte(hash.bytes[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(strong); i++) {
        if (str_starts_with(hash, strong[i])) {
            return true;
        }
    }
    return false;
}
