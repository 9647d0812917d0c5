#include "auth/jwt.h"

#include <assert.h>
#include <nettle/memops.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_writer.h"
#include "base/keyed_hash.h"
#include "base/memory.h"
#include "base/token.h"

/* The two kinds of tokens, and what tells them apart. */
struct profile {
    bool is_own;
    const char *type; /* NULL: what issuers use */
};

/* The three parts of the compact form, still encoded. */
struct parts {
    struct str header;
    struct str claims;
    struct str signature;
};

static const char *const algorithm_names[JWT_ALGORITHMS] = {
    [JWT_RS256] = "RS256", [JWT_RS384] = "RS384", [JWT_RS512] = "RS512", [JWT_PS256] = "PS256",
    [JWT_PS384] = "PS384", [JWT_PS512] = "PS512", [JWT_ES256] = "ES256", [JWT_ES384] = "ES384",
    [JWT_ES512] = "ES512", [JWT_HS256] = "HS256",
};

/* The names, and each byte of the two texts escaped at the worst. */
enum { HEADER_MAX_BYTES = 8 * JWT_KEY_ID_MAX_BYTES };

static enum error_code jwt_refuse(struct error *err, const char *why)
{
    return error_set(err, ERROR_UNAUTHENTICATED, "the token is not a JWT that is accepted: %s",
                     why);
}

static enum error_code jwt_split(struct str text, struct parts *parts_out, struct error *err)
{
    struct str rest = text;

    if (text.length > JWT_MAX_BYTES) {
        return jwt_refuse(err, "it is too long");
    }
    if (!str_cut(&rest, '.', &parts_out->header) || !str_cut(&rest, '.', &parts_out->claims) ||
        !str_cut(&rest, '.', &parts_out->signature)) {
        return jwt_refuse(err, "it does not have three parts");
    }
    /* RFC 7516: five parts are an encrypted one. */
    return rest.bytes ? jwt_refuse(err, "it has more than three parts") : OK;
}

/* RFC 8725 3.1: the algorithm is one that this kind of token has, whatever the token wishes. */
static enum error_code read_algorithm(struct jwt *jwt, const struct profile *profile,
                                      struct error *err)
{
    const struct str name = json_value_member_string(jwt->header_memory, "alg");

    if (!jwt_algorithm_parse(name, &jwt->algorithm) ||
        (jwt->algorithm == JWT_HS256) != profile->is_own) {
        return jwt_refuse(err, profile->is_own
                                   ? "its algorithm must be HS256"
                                   : "its algorithm must be one of RS256, RS384, RS512, "
                                     "PS256, PS384, PS512, ES256, ES384 and ES512");
    }
    return OK;
}

static struct str without_application(struct str type)
{
    static const char prefix[] = "application/";
    const struct str head = str_slice(type, 0, sizeof(prefix) - 1);

    return str_is_ignoring_case(head, prefix) ? str_from_index(type, sizeof(prefix) - 1) : type;
}

/* RFC 8725 3.11. RFC 7515 4.1.9: media types are compared without case, `application/` may be left
 * out. */
static enum error_code check_type(const struct jwt *jwt, const struct profile *profile,
                                  struct error *err)
{
    const struct json_value *member = json_value_member(jwt->header_memory, "typ");
    const struct str type = without_application(json_value_string(member));
    bool is_accepted = false;

    if (profile->type) {
        is_accepted = str_is_ignoring_case(type, profile->type);
    } else {
        is_accepted =
            !member || str_is_ignoring_case(type, "JWT") || str_is_ignoring_case(type, "at+jwt");
    }
    return is_accepted ? OK : jwt_refuse(err, "its 'typ' says that it is for another use");
}

static enum error_code read_key_id(struct jwt *jwt, struct error *err)
{
    const struct json_value *member = json_value_member(jwt->header_memory, "kid");

    jwt->key_id = json_value_string(member);
    if (member && !json_value_is_string(member)) {
        return jwt_refuse(err, "its 'kid' is not a string");
    }
    return jwt->key_id.length > JWT_KEY_ID_MAX_BYTES ? jwt_refuse(err, "its 'kid' is too long")
                                                     : OK;
}

static enum error_code jwt_read_header(struct jwt *jwt, const struct profile *profile,
                                       struct error *err)
{
    /* RFC 7515 4.1.11, RFC 7797, RFC 7516 4.1.3: each changes what the parts mean. */
    static const char *const refused[] = {"crit", "b64", "zip", "enc"};
    enum error_code code = OK;

    if (!jwt->header_memory) {
        return jwt_refuse(err, "its header is not a JSON object in base64url");
    }
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        if (json_value_member(jwt->header_memory, refused[i])) {
            return error_set(err, ERROR_UNAUTHENTICATED,
                             "the token's header has '%s', which is not supported", refused[i]);
        }
    }
    code = read_algorithm(jwt, profile, err);
    if (!code) {
        code = check_type(jwt, profile, err);
    }
    return code ? code : read_key_id(jwt, err);
}

static enum error_code read_signature(struct jwt *jwt, struct str part, struct error *err)
{
    long length = 0;

    jwt->signature_memory = memory_new(BASE64URL_DECODED_BYTES(part.length), 1);
    length = base64url_decode(part, jwt->signature_memory);
    if (length < 0) {
        return jwt_refuse(err, "its signature is not base64url");
    }
    if (length == 0) {
        return jwt_refuse(err, "it has no signature");
    }
    jwt->signature = (struct str){(const char *)jwt->signature_memory, (size_t)length};
    return OK;
}

static enum error_code jwt_parse_as(struct str text, const struct profile *profile,
                                    struct jwt *jwt_out, struct error *err)
{
    struct jwt jwt = {.text = text};
    struct parts parts = {0};
    enum error_code code = jwt_split(text, &parts, err);

    if (code) {
        return code;
    }
    jwt.signing_input = str_slice(text, 0, str_last_index_of(text, '.'));
    jwt.header_memory = token_decode_part(parts.header);
    jwt.claims_memory = token_decode_part(parts.claims);
    jwt.claims = jwt.claims_memory;
    code = jwt_read_header(&jwt, profile, err);
    if (!code && !jwt.claims) {
        code = jwt_refuse(err, "its claims are not a JSON object in base64url");
    }
    if (!code) {
        code = read_signature(&jwt, parts.signature, err);
    }
    if (code) {
        jwt_release(&jwt);
        return code;
    }
    *jwt_out = jwt;
    return OK;
}

enum error_code jwt_parse(struct str text, struct jwt *jwt_out, struct error *err)
{
    return jwt_parse_as(text, &(struct profile){.is_own = false}, jwt_out, err);
}

enum error_code jwt_parse_own(struct str text, const char *type, struct jwt *jwt_out,
                              struct error *err)
{
    assert(type);
    return jwt_parse_as(text, &(struct profile){.is_own = true, .type = type}, jwt_out, err);
}

void jwt_release(struct jwt *jwt)
{
    if (jwt->signature.length > 0) {
        explicit_bzero(jwt->signature_memory, jwt->signature.length);
    }
    free(jwt->signature_memory);
    json_value_free(jwt->header_memory);
    json_value_free(jwt->claims_memory);
    *jwt = (struct jwt){0};
}

bool jwt_names_issuer(struct str text, const char *issuer)
{
    struct json_value *claims = NULL;
    struct parts parts = {0};
    bool is_named = false;

    if (jwt_split(text, &parts, NULL)) {
        return false;
    }
    claims = token_decode_part(parts.claims);
    is_named = str_is(json_value_member_string(claims, "iss"), issuer);
    json_value_free(claims);
    return is_named;
}

const char *jwt_algorithm_name(enum jwt_algorithm algorithm)
{
    return algorithm_names[algorithm];
}

bool jwt_algorithm_parse(struct str name, enum jwt_algorithm *algorithm_out)
{
    for (size_t i = 0; i < JWT_ALGORITHMS; i++) {
        if (str_is(name, algorithm_names[i])) {
            *algorithm_out = (enum jwt_algorithm)i;
            return true;
        }
    }
    return false;
}

static void jwt_append_header(const struct jwt_making *making, struct strbuf *token)
{
    struct json_writer writer;
    struct strbuf header;

    strbuf_init(&header, HEADER_MAX_BYTES);
    json_writer_init(&writer, &header);
    json_writer_begin_object(&writer);
    json_writer_member(&writer, "alg", str_from(jwt_algorithm_name(JWT_HS256)));
    json_writer_member(&writer, "kid", making->key_id);
    json_writer_member(&writer, "typ", str_from(making->type));
    json_writer_end_object(&writer);
    assert(!header.is_truncated);
    base64url_encode(strbuf_str(&header), token);
    strbuf_release(&header);
}

void jwt_sign_hmac(const struct jwt_making *making, struct str claims, struct strbuf *token)
{
    const size_t begin = token->length;
    uint8_t mac[KEYED_HASH_BYTES];

    assert(making->key_id.length <= JWT_KEY_ID_MAX_BYTES);
    assert(making->secret.length >= JWT_SECRET_MIN_BYTES);
    jwt_append_header(making, token);
    strbuf_append_byte(token, '.');
    base64url_encode(claims, token);
    hmac_sha256_of(making->secret, str_from_index(strbuf_str(token), begin), mac);
    strbuf_append_byte(token, '.');
    base64url_encode((struct str){(const char *)mac, sizeof(mac)}, token);
    explicit_bzero(mac, sizeof(mac));
}

enum error_code jwt_verify_hmac(const struct jwt *jwt, struct str secret, struct error *err)
{
    uint8_t mac[KEYED_HASH_BYTES];
    bool is_equal = false;

    assert(jwt->algorithm == JWT_HS256);
    assert(secret.length >= JWT_SECRET_MIN_BYTES);
    hmac_sha256_of(secret, jwt->signing_input, mac);
    is_equal =
        jwt->signature.length == sizeof(mac) && memeql_sec(jwt->signature.bytes, mac, sizeof(mac));
    explicit_bzero(mac, sizeof(mac));
    return is_equal ? OK : error_set(err, ERROR_UNAUTHENTICATED, "the token's signature is wrong");
}
