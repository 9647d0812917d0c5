#include "auth/key_set.h"

#include <assert.h>
#include <cjose/cjose.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/json_value.h"
#include "base/json_writer.h"
#include "base/memory.h"
#include "base/token.h"

enum { JWK_MAX_BYTES = 8 * 1024, BITS_OF_BYTE = 8 };

/* One bit for each algorithm, by its number. */
#define BIT(algorithm) (1U << (algorithm))

static const unsigned rsa_algorithms = BIT(JWT_RS256) | BIT(JWT_RS384) | BIT(JWT_RS512) |
                                       BIT(JWT_PS256) | BIT(JWT_PS384) | BIT(JWT_PS512);

struct key {
    cjose_jwk_t *jwk;
    char *id; /* NULL: none */
    unsigned algorithms;
    size_t signature_bytes; /* RFC 7518 3.3 to 3.5: that long, neither more nor less */
};

struct key_set {
    atomic_uint references;
    size_t count;
    struct key keys[KEY_SET_MAX_KEYS];
};

/* RFC 7518 3.4: each algorithm has a curve of its own. Coordinates have a fixed length (6.2.1.2).
 */
static const struct curve {
    const char *name;
    enum jwt_algorithm algorithm;
    size_t coordinate_bytes;
} curves[] = {
    {"P-256", JWT_ES256, 32},
    {"P-384", JWT_ES384, 48},
    {"P-521", JWT_ES512, 66},
};

/* RFC 7517 4.2 and 4.3: a key that says what it is for. */
static bool is_for_verifying(const struct json_value *json)
{
    const struct json_value *use = json_value_member(json, "use");
    const struct json_value *operations = json_value_member(json, "key_ops");

    if (use && !str_is(json_value_string(use), "sig")) {
        return false;
    }
    return !operations ||
           (json_value_is_array(operations) && json_value_has_text(operations, str_from("verify")));
}

/* Base64urlUInt (RFC 7518 2), big endian. 0 if it is none, or longer than the capacity. */
static size_t decode_number(struct str text, uint8_t *bytes_out, size_t capacity)
{
    long length = 0;

    if (BASE64URL_DECODED_BYTES(text.length) > capacity) {
        return 0;
    }
    length = base64url_decode(text, bytes_out);
    return length < 0 ? 0 : (size_t)length;
}

static size_t bits_of(const uint8_t *number, size_t length)
{
    size_t first = 0;
    size_t bits = 0;

    while (first < length && number[first] == 0) {
        first++;
    }
    if (first == length) {
        return 0;
    }
    for (unsigned rest = number[first]; rest > 0; rest >>= 1U) {
        bits++;
    }
    return (length - first - 1) * BITS_OF_BYTE + bits;
}

/* With an exponent of 1 a signature is the message itself; even ones are none at all. */
static bool is_usable_exponent(struct str text)
{
    uint8_t exponent[16];
    const size_t length = decode_number(text, exponent, sizeof(exponent));

    return bits_of(exponent, length) > 1 && (exponent[length - 1] & 1U) == 1;
}

static bool read_rsa(const struct json_value *json, struct key *key)
{
    uint8_t modulus[BASE64URL_DECODED_BYTES(KEY_SET_RSA_MAX_BITS / BITS_OF_BYTE * 4 / 3 + 4)];
    const size_t length =
        decode_number(json_value_member_string(json, "n"), modulus, sizeof(modulus));
    const size_t bits = bits_of(modulus, length);

    key->algorithms = rsa_algorithms;
    key->signature_bytes = (bits + BITS_OF_BYTE - 1) / BITS_OF_BYTE;
    return bits >= KEY_SET_RSA_MIN_BITS && bits <= KEY_SET_RSA_MAX_BITS &&
           is_usable_exponent(json_value_member_string(json, "e"));
}

static bool has_length(struct str text, size_t length)
{
    uint8_t bytes[80];

    return decode_number(text, bytes, sizeof(bytes)) == length;
}

static bool read_curve(const struct json_value *json, struct key *key)
{
    const struct str name = json_value_member_string(json, "crv");

    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        if (str_is(name, curves[i].name)) {
            key->algorithms = BIT(curves[i].algorithm);
            key->signature_bytes = 2 * curves[i].coordinate_bytes;
            return has_length(json_value_member_string(json, "x"), curves[i].coordinate_bytes) &&
                   has_length(json_value_member_string(json, "y"), curves[i].coordinate_bytes);
        }
    }
    return false;
}

/* RFC 7517 4.4: a key with an `alg` is for that alone. False if nothing is left. */
static bool narrow_algorithms(const struct json_value *json, struct key *key)
{
    const struct json_value *member = json_value_member(json, "alg");
    enum jwt_algorithm algorithm = JWT_RS256;

    if (!member) {
        return true;
    }
    if (!jwt_algorithm_parse(json_value_string(member), &algorithm)) {
        return false;
    }
    key->algorithms &= BIT(algorithm);
    return key->algorithms != 0;
}

/*
 * Only the public parts, checked before, are given to cjose: it would take a private part for more
 * important than those, and 0.6.2.1 aborts on base64url like `A===` (its issue 123).
 */
static cjose_jwk_t *key_set_import(const struct json_value *json)
{
    static const char *const rsa_parts[] = {"kty", "n", "e", NULL};
    static const char *const curve_parts[] = {"kty", "crv", "x", "y", NULL};
    const bool is_rsa = str_is(json_value_member_string(json, "kty"), "RSA");
    cjose_jwk_t *jwk = NULL;
    struct json_writer writer;
    struct strbuf text;

    strbuf_init(&text, JWK_MAX_BYTES);
    json_writer_init(&writer, &text);
    json_writer_begin_object(&writer);
    for (const char *const *name = is_rsa ? rsa_parts : curve_parts; *name; name++) {
        json_writer_member(&writer, *name, json_value_member_string(json, *name));
    }
    json_writer_end_object(&writer);
    assert(!text.is_truncated);
    jwk = cjose_jwk_import(text.text, text.length, NULL);
    strbuf_release(&text);
    return jwk;
}

static bool key_set_read_key(const struct json_value *json, struct key *key_out)
{
    const struct str type = json_value_member_string(json, "kty");
    const struct json_value *id = json_value_member(json, "kid");
    struct key key = {0};
    bool is_usable = is_for_verifying(json) && (!id || json_value_is_string(id));

    if (str_is(type, "RSA")) {
        is_usable = is_usable && read_rsa(json, &key);
    } else {
        is_usable = is_usable && str_is(type, "EC") && read_curve(json, &key);
    }
    if (!is_usable || !narrow_algorithms(json, &key)) {
        return false;
    }
    key.jwk = key_set_import(json);
    if (!key.jwk) {
        return false;
    }
    key.id = memory_copy_text(json_value_string(id).bytes);
    *key_out = key;
    return true;
}

static enum error_code parse_keys(const struct json_value *json, struct key_set *keys,
                                  struct error *err)
{
    if (!json_value_is_array(json)) {
        return error_set(err, ERROR_INVALID, "the key set has no array 'keys'");
    }
    if (json_value_length(json) > KEY_SET_MAX_KEYS) {
        return error_set(err, ERROR_TOO_LARGE, "the key set has more than %d keys",
                         KEY_SET_MAX_KEYS);
    }
    for (size_t i = 0; i < json_value_length(json); i++) {
        /* RFC 7517 5: what is not understood is passed over. */
        if (key_set_read_key(json_value_element(json, i), &keys->keys[keys->count])) {
            keys->count++;
        }
    }
    return OK;
}

enum error_code key_set_parse(struct str text, struct key_set **keys_out, struct error *err)
{
    struct json_value *json = NULL;
    struct key_set *keys = NULL;
    enum error_code code = OK;

    if (text.length > KEY_SET_MAX_BYTES) {
        return error_set(err, ERROR_TOO_LARGE, "the key set has more than %d bytes",
                         KEY_SET_MAX_BYTES);
    }
    if (json_value_parse(text, &json, err)) {
        return ERROR_INVALID; /* with the message that it has */
    }
    keys = memory_new(1, sizeof(*keys));
    atomic_init(&keys->references, 1);
    code = parse_keys(json_value_member(json, "keys"), keys, err);
    json_value_free(json);
    if (code) {
        key_set_release(keys);
        return code;
    }
    *keys_out = keys;
    return OK;
}

struct key_set *key_set_retain(struct key_set *keys)
{
    (void)atomic_fetch_add(&keys->references, 1);
    return keys;
}

void key_set_release(struct key_set *keys)
{
    if (!keys || atomic_fetch_sub(&keys->references, 1) > 1) {
        return;
    }
    for (size_t i = 0; i < keys->count; i++) {
        (void)cjose_jwk_release(keys->keys[i].jwk);
        free(keys->keys[i].id);
    }
    free(keys);
}

size_t key_set_count(const struct key_set *keys)
{
    return keys->count;
}

void key_set_append_algorithms(const struct key_set *keys, struct strbuf *text)
{
    const char *separator = "";
    unsigned algorithms = 0;

    for (size_t i = 0; i < keys->count; i++) {
        algorithms |= keys->keys[i].algorithms;
    }
    for (unsigned i = 0; i < JWT_ALGORITHMS; i++) {
        if (algorithms & BIT(i)) {
            strbuf_append_format(text, "%s%s", separator, jwt_algorithm_name(i));
            separator = ", ";
        }
    }
}

static enum error_code find_key(const struct key_set *keys, const struct jwt *jwt,
                                const struct key **key_out, struct error *err)
{
    const char *algorithm = jwt_algorithm_name(jwt->algorithm);
    size_t count = 0;

    for (size_t i = 0; i < keys->count; i++) {
        const struct key *key = &keys->keys[i];

        if ((key->algorithms & BIT(jwt->algorithm)) &&
            (!jwt->key_id.bytes || (key->id && str_is(jwt->key_id, key->id)))) {
            *key_out = key;
            count++;
        }
    }
    if (count == 0) {
        return error_set(err, ERROR_NOT_FOUND,
                         "the token names a key for %s that its issuer does not have", algorithm);
    }
    /* RFC 7517 4.5: a name is for one key; where it is not, the last one counts. */
    if (count > 1 && !jwt->key_id.bytes) {
        return error_set(err, ERROR_UNAUTHENTICATED,
                         "the token does not say which of its issuer's %zu keys for %s signed it",
                         count, algorithm);
    }
    return OK;
}

/*
 * RFC 8725 3.1 and 3.2. cjose takes the algorithm from the header that jwt_parse has read, checks
 * the type of key against it, but neither the curve nor the length of a signature: find_key has
 * done the first, here is the second.
 */
static bool is_signed_by(const struct jwt *jwt, const struct key *key)
{
    cjose_jws_t *jws = NULL;
    bool is_valid = false;

    if (jwt->signature.length != key->signature_bytes) {
        return false;
    }
    jws = cjose_jws_import(jwt->text.bytes, jwt->text.length, NULL);
    is_valid = jws && cjose_jws_verify(jws, key->jwk, NULL);
    cjose_jws_release(jws);
    return is_valid;
}

enum error_code key_set_verify(const struct key_set *keys, const struct jwt *jwt, struct error *err)
{
    const struct key *key = NULL;
    enum error_code code = find_key(keys, jwt, &key, err);

    assert(jwt->algorithm != JWT_HS256);
    if (code) {
        return code;
    }
    assert(key);
    if (is_signed_by(jwt, key)) {
        return OK;
    }
    /* Without a name, the only key may have been replaced by another without one. */
    code = jwt->key_id.bytes ? ERROR_UNAUTHENTICATED : ERROR_NOT_FOUND;
    return error_set(err, code, "the token's signature is wrong");
}
