#include "aws/signature.h"

#include <assert.h>
#include <string.h>

#include "aws/canonical_request.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/keyed_hash.h"
#include "outbound/url.h"

/* The steps are those of "Create a signed AWS API request" in the IAM User Guide. */
#define ALGORITHM "AWS4-HMAC-SHA256"

enum {
    DAY_CHARACTERS = 8,
    DATE_BYTES = sizeof("20130524T000000Z"),
    SIGNER_HEADERS = AWS_SIGNED_HEADERS, /* host, but not authorization */
    SIGNER_PARAMETERS = 6,
    TEXT_MAX_BYTES = 2 * AWS_URL_MAX_BYTES,
    SECRET_MAX_BYTES = sizeof("AWS4") + AWS_KEY_MAX_BYTES,
    CREDENTIAL_MAX_BYTES = 2 * AWS_KEY_MAX_BYTES,
    NUMBER_MAX_BYTES = 20,
};

/* A request on its way to a signature. */
struct signing {
    const struct aws_keys *keys;
    const struct aws_request *request;
    const char *payload_sha256;
    char date[DATE_BYTES];
    struct aws_pair headers[AWS_HEADERS_MAX + SIGNER_HEADERS];
    size_t header_count;
    struct aws_pair query[AWS_QUERY_MAX + SIGNER_PARAMETERS];
    size_t query_count;
    struct strbuf credential; /* `ID/DAY/REGION/SERVICE/aws4_request` */
    struct strbuf target;     /* path and query as they are sent */
    struct strbuf canonical;  /* the canonical request */
    char signature[AWS_HASH_BYTES];
};

/* ISO 8601's basic format, without fractions. */
static void format_date(int64_t wall_ms, char date_out[DATE_BYTES])
{
    char iso[CLOCK_ISO_BYTES];
    size_t length = 0;

    clock_format_iso(wall_ms, iso);
    for (const char *from = iso; *from != '.' && length + 2 < DATE_BYTES; from++) {
        if (*from != '-' && *from != ':') {
            date_out[length++] = *from;
        }
    }
    date_out[length++] = 'Z';
    date_out[length] = '\0';
}

static void signing_begin(struct signing *signing, const struct aws_keys *keys,
                          const struct aws_scope *scope, const struct aws_request *request)
{
    assert(request->header_count <= AWS_HEADERS_MAX);
    assert(request->query_count <= AWS_QUERY_MAX);
    *signing = (struct signing){.keys = keys, .request = request};
    format_date(scope->now_ms, signing->date);
    strbuf_init(&signing->credential, CREDENTIAL_MAX_BYTES);
    strbuf_init_secret(&signing->target, AWS_URL_MAX_BYTES);
    strbuf_init_secret(&signing->canonical, TEXT_MAX_BYTES);
    strbuf_append_format(&signing->credential, "%s/%.*s/%s/%s/aws4_request", keys->access_key_id,
                         DAY_CHARACTERS, signing->date, scope->region, scope->service);
    for (size_t i = 0; i < request->query_count; i++) {
        signing->query[signing->query_count++] = request->query[i];
    }
}

static void add_header(struct signing *signing, const char *name, struct str value)
{
    signing->headers[signing->header_count++] = (struct aws_pair){str_from(name), value};
}

static void put_header(struct aws_signed *signed_out, const char *name, struct str value)
{
    struct strbuf *header = &signed_out->headers[signed_out->header_count++];

    strbuf_init_secret(header, TEXT_MAX_BYTES);
    strbuf_append_text(header, name);
    strbuf_append_text(header, ": ");
    strbuf_append(header, value);
}

static void add_and_send(struct signing *signing, struct aws_signed *signed_out, const char *name,
                         const char *value)
{
    add_header(signing, name, str_from(value));
    put_header(signed_out, name, str_from(value));
}

/* Path and query, each on a line of the canonical request, too. */
static void append_target(struct signing *signing)
{
    struct strbuf *target = &signing->target;
    size_t query_begin = 0;

    aws_canonical_path(target, signing->request->path);
    strbuf_append(&signing->canonical, strbuf_str(target));
    strbuf_append_byte(&signing->canonical, '\n');
    if (signing->query_count > 0) {
        strbuf_append_byte(target, '?');
    }
    query_begin = target->length;
    aws_canonical_query(target, signing->query, signing->query_count);
    strbuf_append(&signing->canonical, str_from_index(strbuf_str(target), query_begin));
    strbuf_append_byte(&signing->canonical, '\n');
}

/* The code of the text becomes the key. */
static void hmac_again(uint8_t key[KEYED_HASH_BYTES], struct str text)
{
    hmac_sha256_of((struct str){(const char *)key, KEYED_HASH_BYTES}, text, key);
}

/* The key of a day, a region and a service. */
static void derive_key(const struct signing *signing, const struct aws_scope *scope,
                       uint8_t key_out[KEYED_HASH_BYTES])
{
    struct strbuf secret;

    strbuf_init_secret(&secret, SECRET_MAX_BYTES);
    strbuf_append_text(&secret, "AWS4");
    strbuf_append_text(&secret, signing->keys->secret_access_key);
    hmac_sha256_of(strbuf_str(&secret), (struct str){signing->date, DAY_CHARACTERS}, key_out);
    strbuf_release(&secret);
    hmac_again(key_out, str_from(scope->region));
    hmac_again(key_out, str_from(scope->service));
    hmac_again(key_out, str_from("aws4_request"));
}

static void write_hex(const uint8_t hash[KEYED_HASH_BYTES], char hex_out[AWS_HASH_BYTES])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < KEYED_HASH_BYTES; i++) {
        hex_out[2 * i] = digits[hash[i] >> 4];
        hex_out[2 * i + 1] = digits[hash[i] & 0xF];
    }
    hex_out[2 * KEYED_HASH_BYTES] = '\0';
}

/* Steps 1 to 4: canonical request, its hash, the string to sign, the signature. */
static enum error_code signing_compute(struct signing *signing, const struct aws_scope *scope,
                                       struct error *err)
{
    const struct str credential = strbuf_str(&signing->credential);
    const size_t id_length = strlen(signing->keys->access_key_id);
    struct strbuf *text = &signing->canonical;
    char hash[AWS_HASH_BYTES];
    uint8_t code[KEYED_HASH_BYTES]; /* the key, then the signature */

    strbuf_append_format(text, "%s\n", signing->request->method);
    append_target(signing);
    aws_canonical_headers(text, signing->headers, signing->header_count);
    strbuf_append_byte(text, '\n');
    aws_canonical_names(text, signing->headers, signing->header_count);
    strbuf_append_format(text, "\n%s", signing->payload_sha256);
    if (text->is_truncated || signing->target.is_truncated || signing->credential.is_truncated) {
        return error_set(err, ERROR_TOO_LARGE, "the request is too long to be signed");
    }
    aws_payload_hash(strbuf_str(text), hash);
    strbuf_clear(text);
    strbuf_append_format(text, ALGORITHM "\n%s\n%.*s\n%s", signing->date,
                         STR_FORMAT(str_from_index(credential, id_length + 1)), hash);
    derive_key(signing, scope, code);
    hmac_again(code, strbuf_str(text));
    write_hex(code, signing->signature);
    return OK;
}

static void put_authorization(const struct signing *signing, struct aws_signed *signed_out)
{
    struct strbuf value;

    strbuf_init_secret(&value, TEXT_MAX_BYTES);
    strbuf_append_text(&value, ALGORITHM " Credential=");
    strbuf_append(&value, strbuf_str(&signing->credential));
    strbuf_append_text(&value, ", SignedHeaders=");
    aws_canonical_names(&value, signing->headers, signing->header_count);
    strbuf_append_text(&value, ", Signature=");
    strbuf_append_text(&value, signing->signature);
    put_header(signed_out, "authorization", strbuf_str(&value));
    strbuf_release(&value);
}

static enum error_code signing_append_url(const struct signing *signing, struct strbuf *url,
                                          struct error *err)
{
    strbuf_append_format(url, "%s://", signing->request->scheme);
    strbuf_append(url, signing->request->host);
    strbuf_append(url, strbuf_str(&signing->target));
    if (url->is_truncated || signing->target.is_truncated) {
        return error_set(err, ERROR_TOO_LARGE, "the request is too long to be signed");
    }
    return OK;
}

static void signing_end(struct signing *signing)
{
    strbuf_release(&signing->credential);
    strbuf_release(&signing->target);
    strbuf_release(&signing->canonical);
}

enum error_code aws_sign(const struct aws_keys *keys, const struct aws_scope *scope,
                         const struct aws_request *request, struct aws_signed *signed_out,
                         struct error *err)
{
    struct signing signing;
    enum error_code code = OK;

    *signed_out = (struct aws_signed){0};
    strbuf_init_secret(&signed_out->url, AWS_URL_MAX_BYTES);
    signing_begin(&signing, keys, scope, request);
    signing.payload_sha256 = request->payload_sha256;
    for (size_t i = 0; i < request->header_count; i++) {
        signing.headers[signing.header_count++] = request->headers[i];
    }
    add_header(&signing, "host", request->host);
    add_and_send(&signing, signed_out, "x-amz-date", signing.date);
    if (strcmp(scope->service, "s3") == 0) {
        add_and_send(&signing, signed_out, "x-amz-content-sha256", signing.payload_sha256);
    }
    if (keys->session_token) {
        add_and_send(&signing, signed_out, "x-amz-security-token", keys->session_token);
    }
    code = signing_compute(&signing, scope, err);
    if (!code) {
        put_authorization(&signing, signed_out);
        code = signing_append_url(&signing, &signed_out->url, err);
    }
    signing_end(&signing);
    return code;
}

void aws_signed_release(struct aws_signed *signed_request)
{
    strbuf_release(&signed_request->url);
    for (size_t i = 0; i < signed_request->header_count; i++) {
        strbuf_release(&signed_request->headers[i]);
    }
    signed_request->header_count = 0;
}

static void add_parameter(struct signing *signing, const char *name, struct str value)
{
    signing->query[signing->query_count++] = (struct aws_pair){str_from(name), value};
}

/* "Authenticating Requests: Using Query Parameters" in the API reference of Amazon S3. */
enum error_code aws_presign(const struct aws_keys *keys, const struct aws_scope *scope,
                            const struct aws_request *request, unsigned lifetime_s,
                            struct strbuf *url_out, struct error *err)
{
    struct signing signing;
    struct strbuf lifetime;
    enum error_code code = OK;

    assert(lifetime_s > 0);
    assert(lifetime_s <= AWS_LINK_MAX_S);
    strbuf_init(&lifetime, NUMBER_MAX_BYTES);
    strbuf_append_uint64(&lifetime, lifetime_s);
    signing_begin(&signing, keys, scope, request);
    /* S3 alone takes what it does not know; of others a link's request has no body. */
    signing.payload_sha256 =
        strcmp(scope->service, "s3") == 0 ? AWS_UNSIGNED_PAYLOAD : AWS_EMPTY_PAYLOAD;
    add_header(&signing, "host", request->host);
    add_parameter(&signing, "X-Amz-Algorithm", str_from(ALGORITHM));
    add_parameter(&signing, "X-Amz-Credential", strbuf_str(&signing.credential));
    add_parameter(&signing, "X-Amz-Date", str_from(signing.date));
    add_parameter(&signing, "X-Amz-Expires", strbuf_str(&lifetime));
    add_parameter(&signing, "X-Amz-SignedHeaders", str_from("host"));
    if (keys->session_token) {
        add_parameter(&signing, "X-Amz-Security-Token", str_from(keys->session_token));
    }
    code = signing_compute(&signing, scope, err);
    if (!code) {
        url_append_parameter(&signing.target, "X-Amz-Signature", str_from(signing.signature));
        code = signing_append_url(&signing, url_out, err);
    }
    signing_end(&signing);
    strbuf_release(&lifetime);
    return code;
}

void aws_payload_hash(struct str payload, char hash_out[AWS_HASH_BYTES])
{
    write_hex(hasher_digest_of(DIGEST_SHA256, payload).bytes, hash_out);
}
