#include "auth/credentials.h"

#include <nettle/base64.h>
#include <string.h>

enum { TOKEN_BLOCK_BYTES = 16 };

static const char legacy_scheme[] = "Token"; /* as clients of the original sent a bearer token */
static const char token_user[] = "oauth2";
static const char identity_token_user[] = "<token>"; /* docker's, for an identity token */
static const char instance_user[] = "instance-identity-document";

static uint8_t is_visible_byte(char byte)
{
    return (uint8_t)(byte - '!') <= '~' - '!';
}

/* Without branches and of a fixed length, compilers make a few instructions of it: it is done for
 * each request. */
static bool block_is_visible(const char *block)
{
    uint8_t is_visible = 1;

    for (size_t i = 0; i < TOKEN_BLOCK_BYTES; i++) {
        is_visible &= is_visible_byte(block[i]);
    }
    return is_visible;
}

/* Visible ASCII, which RFC 6750's b64token is a part of. */
static bool is_token(struct str token)
{
    bool is_visible = token.length > 0;
    size_t i = 0;

    for (; token.length - i >= TOKEN_BLOCK_BYTES; i += TOKEN_BLOCK_BYTES) {
        is_visible &= block_is_visible(token.bytes + i);
    }
    for (; i < token.length; i++) {
        is_visible &= is_visible_byte(token.bytes[i]);
    }
    return is_visible;
}

static enum error_code parse_bearer(struct str token, struct credentials *credentials,
                                    struct error *err)
{
    if (!is_token(token)) {
        return error_set(err, ERROR_INVALID, "the Authorization field holds no token");
    }
    strbuf_append(&credentials->memory, token);
    if (credentials->memory.is_truncated) {
        return error_set(err, ERROR_INVALID, "the token is longer than %d bytes",
                         CREDENTIALS_MAX_BYTES);
    }
    credentials->kind = CREDENTIALS_TOKEN;
    credentials->is_bearer = true;
    credentials->secret = strbuf_str(&credentials->memory);
    return OK;
}

static enum error_code credentials_decode(struct str encoded, struct strbuf *memory,
                                          struct error *err)
{
    struct base64_decode_ctx context;
    uint8_t bytes[BASE64_DECODE_LENGTH(64)];
    bool is_good = encoded.length > 0;

    base64_decode_init(&context);
    while (is_good && encoded.length > 0) {
        const struct str piece = str_slice(encoded, 0, 64);
        size_t length = sizeof(bytes);

        is_good = base64_decode_update(&context, &length, bytes, piece.length, piece.bytes) == 1;
        strbuf_append(memory, (struct str){(const char *)bytes, is_good ? length : 0});
        encoded = str_from_index(encoded, piece.length);
    }
    explicit_bzero(bytes, sizeof(bytes));
    explicit_bzero(&context, sizeof(context));
    if (!is_good || memory->is_truncated || !base64_decode_final(&context)) {
        return error_set(err, ERROR_INVALID, "Basic credentials must be NAME:PASSWORD in base64");
    }
    return OK;
}

static bool credentials_is_printable(struct str s)
{
    for (size_t i = 0; i < s.length; i++) {
        if ((unsigned char)s.bytes[i] < ' ' || s.bytes[i] == '\x7f') {
            return false;
        }
    }
    return true;
}

/* The user name says what the rest is. */
static enum error_code credentials_judge(struct credentials *credentials, struct error *err)
{
    if (!credentials_is_printable(credentials->name) || credentials->name.length == 0) {
        return error_set(err, ERROR_INVALID, "the user name is empty, or holds control characters");
    }
    if (credentials->secret.length == 0) {
        return error_set(err, ERROR_INVALID, "the password is empty");
    }
    if (strlen(credentials->secret.bytes) != credentials->secret.length) {
        return error_set(err, ERROR_INVALID, "the password holds a NUL character");
    }
    if (str_is(credentials->name, token_user) || str_is(credentials->name, identity_token_user)) {
        credentials->kind = CREDENTIALS_TOKEN;
        if (!is_token(credentials->secret)) { /* it is sent on, in header fields too */
            return error_set(err, ERROR_INVALID, "the token holds spaces or control characters");
        }
    } else if (str_is(credentials->name, instance_user)) {
        credentials->kind = CREDENTIALS_INSTANCE;
    } else {
        credentials->kind = CREDENTIALS_PASSWORD;
    }
    return OK;
}

static enum error_code parse_basic(struct str encoded, struct credentials *credentials,
                                   struct error *err)
{
    const enum error_code code = credentials_decode(encoded, &credentials->memory, err);
    struct str rest = strbuf_str(&credentials->memory);
    const size_t colon = str_index_of(rest, ':');

    if (code) {
        return code;
    }
    if (colon == rest.length) {
        return error_set(err, ERROR_INVALID, "Basic credentials must be NAME:PASSWORD in base64");
    }
    credentials->name = str_slice(rest, 0, colon);
    credentials->secret = str_from_index(rest, colon + 1);
    return credentials_judge(credentials, err);
}

enum error_code credentials_parse(struct str field, struct credentials *credentials_out,
                                  struct error *err)
{
    struct str rest = field;
    struct str scheme;

    *credentials_out = (struct credentials){0};
    strbuf_init_secret(&credentials_out->memory, CREDENTIALS_MAX_BYTES);
    if (!str_cut(&rest, ' ', &scheme) || scheme.length == 0) {
        return OK;
    }
    rest = str_trim(rest);
    if (str_is_ignoring_case(scheme, "Bearer") || str_is_ignoring_case(scheme, legacy_scheme)) {
        return parse_bearer(rest, credentials_out, err);
    }
    if (str_is_ignoring_case(scheme, "Basic")) {
        return parse_basic(rest, credentials_out, err);
    }
    return error_set(err, ERROR_INVALID, "the Authorization field must be Bearer or Basic");
}

enum error_code credentials_of_user(struct str user, struct str password,
                                    struct credentials *credentials_out, struct error *err)
{
    struct strbuf *memory = &credentials_out->memory;

    *credentials_out = (struct credentials){0};
    strbuf_init_secret(memory, CREDENTIALS_MAX_BYTES);
    strbuf_append(memory, user);
    strbuf_append_byte(memory, ':');
    strbuf_append(memory, password);
    if (memory->is_truncated) {
        return error_set(err, ERROR_INVALID, "user and password are longer than %d bytes",
                         CREDENTIALS_MAX_BYTES);
    }
    credentials_out->name = str_slice(strbuf_str(memory), 0, user.length);
    credentials_out->secret = str_from_index(strbuf_str(memory), user.length + 1);
    return credentials_judge(credentials_out, err);
}

static uint64_t credentials_word(const char *eight_bytes)
{
    uint64_t word = 0;

    memcpy(&word, eight_bytes, sizeof(word));
    return word;
}

/* nettle's looks at one byte at a time: as slow as the hash that it is to save. */
bool credentials_are_equal(struct str field, struct str other)
{
    uint64_t difference = 0;
    size_t i = 0;

    if (field.length == 0 || field.length != other.length) {
        return false;
    }
    for (; field.length - i >= sizeof(difference); i += sizeof(difference)) {
        difference |= credentials_word(field.bytes + i) ^ credentials_word(other.bytes + i);
    }
    for (; i < field.length; i++) {
        difference |= (uint8_t)(field.bytes[i] ^ other.bytes[i]);
    }
    return difference == 0;
}

void credentials_release(struct credentials *credentials)
{
    strbuf_release(&credentials->memory);
    *credentials = (struct credentials){0};
}
