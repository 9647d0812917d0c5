#include "auth/jwt_sign.h"

#include <assert.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <string.h>

#include "base/json_writer.h"
#include "base/token.h"

/* The names, and each byte of the two texts escaped at the worst. */
enum { HEADER_MAX_BYTES = 8 * JWT_KEY_ID_MAX_BYTES };

static void append_header(const struct jwt_making *making, struct strbuf *token);
static void compute(struct str secret, struct str input, uint8_t mac_out[SHA256_DIGEST_SIZE]);

void jwt_sign_hmac(const struct jwt_making *making, struct str claims, struct strbuf *token)
{
    const size_t begin = token->length;
    uint8_t mac[SHA256_DIGEST_SIZE];

    assert(making->key_id.length <= JWT_KEY_ID_MAX_BYTES);
    append_header(making, token);
    strbuf_append_byte(token, '.');
    base64url_encode(claims, token);
    compute(making->secret, str_from_index(strbuf_str(token), begin), mac);
    strbuf_append_byte(token, '.');
    base64url_encode((struct str){(const char *)mac, sizeof(mac)}, token);
    explicit_bzero(mac, sizeof(mac));
}

static void append_header(const struct jwt_making *making, struct strbuf *token)
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

static void compute(struct str secret, struct str input, uint8_t mac_out[SHA256_DIGEST_SIZE])
{
    struct hmac_sha256_ctx context;

    assert(secret.length >= JWT_SECRET_MIN_BYTES);
    hmac_sha256_set_key(&context, secret.length, (const uint8_t *)secret.bytes);
    hmac_sha256_update(&context, input.length, (const uint8_t *)input.bytes);
    hmac_sha256_digest(&context, SHA256_DIGEST_SIZE, mac_out);
    explicit_bzero(&context, sizeof(context));
}

enum error_code jwt_verify_hmac(const struct jwt *jwt, struct str secret, struct error *err)
{
    uint8_t mac[SHA256_DIGEST_SIZE];
    bool is_equal = false;

    assert(jwt->algorithm == JWT_HS256);
    compute(secret, jwt->signing_input, mac);
    is_equal =
        jwt->signature.length == sizeof(mac) && memeql_sec(jwt->signature.bytes, mac, sizeof(mac));
    explicit_bzero(mac, sizeof(mac));
    return is_equal ? OK : error_set(err, ERROR_UNAUTHENTICATED, "the token's signature is wrong");
}
