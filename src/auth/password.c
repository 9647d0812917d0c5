#include "auth/password.h"

#include <assert.h>
#include <crypt.h>
#include <nettle/memops.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

enum { SALT_BYTES = 16 };

static_assert(PASSWORD_HASH_BYTES == CRYPT_OUTPUT_SIZE,
              "a hash has as much room as crypt gives it");
static_assert(PASSWORD_MAX_BYTES < CRYPT_MAX_PASSPHRASE_SIZE, "no password is cut");

static size_t count_characters(const char *text);
static bool hash_with(const char *password, const char *setting,
                      char hash_out[PASSWORD_HASH_BYTES]);
static bool is_hash_byte(char byte);

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

/* crypt(5): "entirely printable ASCII", without white space and the characters : ; * ! and \. */
static bool is_hash_byte(char byte)
{
    return byte > ' ' && byte <= '~' && !strchr(":;*!\\", byte);
}
