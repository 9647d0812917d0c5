#include "tests/support/token_maker.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "base/token.h"

enum { SIGNATURE_MAX_BYTES = 2048, COORDINATE_MAX_BYTES = 66 };

static void must(int is_true)
{
    if (!is_true) {
        abort();
    }
}

EVP_PKEY *token_key_rsa(unsigned bits)
{
    EVP_PKEY *key = EVP_RSA_gen(bits);

    must(key != NULL);
    return key;
}

EVP_PKEY *token_key_curve(const char *name)
{
    EVP_PKEY *key = EVP_EC_gen(name);

    must(key != NULL);
    return key;
}

static size_t coordinate_bytes(EVP_PKEY *key)
{
    return ((size_t)EVP_PKEY_get_bits(key) + 7) / 8;
}

/* Base64url of a number of the key; length 0: as short as it is. */
static void append_number(EVP_PKEY *key, const char *parameter, size_t length, struct strbuf *text)
{
    unsigned char bytes[SIGNATURE_MAX_BYTES];
    BIGNUM *number = NULL;

    must(EVP_PKEY_get_bn_param(key, parameter, &number));
    if (length == 0) {
        length = (size_t)BN_num_bytes(number);
    }
    must(BN_bn2binpad(number, bytes, (int)length) == (int)length);
    base64url_encode((struct str){(const char *)bytes, length}, text);
    BN_free(number);
}

static void append_curve(EVP_PKEY *key, struct strbuf *text)
{
    const size_t length = coordinate_bytes(key);
    const char *name = length == 32 ? "P-256" : "P-384";

    strbuf_append_format(text, ",\"crv\":\"%s\",\"x\":\"", length == 66 ? "P-521" : name);
    append_number(key, OSSL_PKEY_PARAM_EC_PUB_X, length, text);
    strbuf_append_text(text, "\",\"y\":\"");
    append_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, length, text);
    strbuf_append_text(text, "\"}");
}

void token_append_jwk(EVP_PKEY *key, const char *members, struct strbuf *text)
{
    const bool is_rsa = EVP_PKEY_is_a(key, "RSA");

    strbuf_append_format(text, "{\"kty\":\"%s\"%s%s", is_rsa ? "RSA" : "EC", members[0] ? "," : "",
                         members);
    if (!is_rsa) {
        append_curve(key, text);
        return;
    }
    strbuf_append_text(text, ",\"n\":\"");
    append_number(key, OSSL_PKEY_PARAM_RSA_N, 0, text);
    strbuf_append_text(text, "\",\"e\":\"");
    append_number(key, OSSL_PKEY_PARAM_RSA_E, 0, text);
    strbuf_append_text(text, "\"}");
}

void token_append_unsigned(struct str header, struct str claims, struct strbuf *text)
{
    base64url_encode(header, text);
    strbuf_append_byte(text, '.');
    base64url_encode(claims, text);
}

static const EVP_MD *hash_of(const char *algorithm)
{
    if (strcmp(algorithm + 2, "384") == 0) {
        return EVP_sha384();
    }
    return strcmp(algorithm + 2, "512") == 0 ? EVP_sha512() : EVP_sha256();
}

static size_t sign(EVP_PKEY *key, const char *algorithm, struct str input, unsigned char *out)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options = NULL;
    size_t length = SIGNATURE_MAX_BYTES;

    must(EVP_DigestSignInit(context, &options, hash_of(algorithm), NULL, key));
    if (algorithm[0] == 'P') {
        must(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) > 0);
        must(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) > 0);
    }
    must(EVP_DigestSign(context, out, &length, (const unsigned char *)input.bytes, input.length) >
         0);
    EVP_MD_CTX_free(context);
    return length;
}

/* RFC 7518 3.4: R and S, each of the curve's length, instead of ASN.1. */
static size_t flatten(EVP_PKEY *key, unsigned char *bytes, size_t length)
{
    const int half = (int)coordinate_bytes(key);
    const unsigned char *cursor = bytes;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &cursor, (long)length);

    must(signature != NULL);
    must(BN_bn2binpad(ECDSA_SIG_get0_r(signature), bytes, half) == half);
    must(BN_bn2binpad(ECDSA_SIG_get0_s(signature), bytes + half, half) == half);
    ECDSA_SIG_free(signature);
    return 2 * (size_t)half;
}

void token_append(EVP_PKEY *key, const char *algorithm, struct str header, struct str claims,
                  struct strbuf *text)
{
    const size_t begin = text->length;
    unsigned char signature[SIGNATURE_MAX_BYTES];
    size_t length = 0;

    token_append_unsigned(header, claims, text);
    length = sign(key, algorithm, str_from_index(strbuf_str(text), begin), signature);
    if (EVP_PKEY_is_a(key, "EC")) {
        length = flatten(key, signature, length);
    }
    strbuf_append_byte(text, '.');
    base64url_encode((struct str){(const char *)signature, length}, text);
    must(!text->is_truncated);
}

void token_append_hmac(struct str secret, struct str header, struct str claims, struct strbuf *text)
{
    const size_t begin = text->length;
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    struct str input;

    token_append_unsigned(header, claims, text);
    input = str_from_index(strbuf_str(text), begin);
    must(HMAC(EVP_sha256(), secret.bytes, (int)secret.length, (const unsigned char *)input.bytes,
              input.length, mac, &length) != NULL);
    strbuf_append_byte(text, '.');
    base64url_encode((struct str){(const char *)mac, length}, text);
}

void token_append_pem(EVP_PKEY *key, struct strbuf *text)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    long length = 0;

    must(PEM_write_bio_PUBKEY(memory, key));
    length = BIO_get_mem_data(memory, &bytes);
    strbuf_append(text, (struct str){bytes, (size_t)length});
    BIO_free_all(memory);
}
