#include "auth/registry_token.h"

#include <nettle/base16.h>
#include <stdlib.h>
#include <string.h>

#include "auth/jwt.h"
#include "base/clock.h"
#include "base/json_value.h"
#include "base/json_writer.h"
#include "base/memory.h"
#include "base/token.h"

#define TYPE "pierone+jwt"

enum { CLAIMS_MAX_BYTES = 32 * 1024, LOGIN_BYTES = 32 };

struct registry_token_source {
    struct identity_source base; /* first */
    struct token_keys *keys;
    const struct clock *clock;
};

static void write_actions(struct json_writer *writer, struct str actions)
{
    struct str action;

    json_writer_begin_array(writer);
    while (str_cut(&actions, ',', &action)) {
        json_writer_string(writer, action);
    }
    json_writer_end_array(writer);
}

/* As distribution has it: [{"type","name","actions"}]. */
static void write_access(struct json_writer *writer, struct str grants)
{
    struct str line;

    json_writer_name(writer, "access");
    json_writer_begin_array(writer);
    while (str_cut(&grants, '\n', &line)) {
        const size_t colon = str_last_index_of(line, ':');
        struct str name = str_slice(line, 0, colon);
        struct str type;

        if (!str_cut(&name, ':', &type) || !name.bytes) {
            continue; /* behind the last line */
        }
        json_writer_begin_object(writer);
        json_writer_member(writer, "type", type);
        json_writer_member(writer, "name", name);
        json_writer_name(writer, "actions");
        write_actions(writer, str_from_index(line, colon + 1));
        json_writer_end_object(writer);
    }
    json_writer_end_array(writer);
}

static void registry_token_write_lines(struct json_writer *writer, const char *name,
                                       struct str lines)
{
    struct str line;

    json_writer_name(writer, name);
    json_writer_begin_array(writer);
    while (str_cut(&lines, '\n', &line)) {
        if (line.length > 0) {
            json_writer_string(writer, line);
        }
    }
    json_writer_end_array(writer);
}

static void registry_token_write_login(struct json_writer *writer, struct str login)
{
    char text[BASE16_ENCODE_LENGTH(LOGIN_BYTES)];

    if (login.length == LOGIN_BYTES) {
        base16_encode_update(text, login.length, (const uint8_t *)login.bytes);
        json_writer_member(writer, "login", (struct str){text, sizeof(text)});
    }
}

static void registry_token_write_claims(const struct registry_token *token, struct strbuf *buf)
{
    const int64_t issued_s = token->issued_ms / MS_PER_SECOND;
    struct json_writer writer;
    char id[RANDOM_ID_BYTES];

    random_id(id);
    json_writer_init(&writer, buf);
    json_writer_begin_object(&writer);
    json_writer_member(&writer, "iss", str_from("pierone"));
    json_writer_member(&writer, "aud", token->audience);
    json_writer_member(&writer, "sub", token->identity->name);
    json_writer_member_uint64(&writer, "kind", (uint64_t)token->identity->kind);
    json_writer_member_uint64(&writer, "iat", (uint64_t)issued_s);
    json_writer_member_uint64(&writer, "nbf", (uint64_t)issued_s);
    json_writer_member_uint64(&writer, "exp", (uint64_t)(token->expires_ms / MS_PER_SECOND));
    json_writer_member(&writer, "jti", str_from(id));
    write_access(&writer, token->grants);
    registry_token_write_lines(&writer, "refused", token->refusals);
    registry_token_write_login(&writer, token->login);
    json_writer_end_object(&writer);
}

enum error_code registry_token_sign(struct token_keys *keys, const struct registry_token *token,
                                    struct strbuf *token_out, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf claims;
    struct jwt_making making = {.type = TYPE};
    struct token_key key;

    strbuf_init(&claims, CLAIMS_MAX_BYTES);
    registry_token_write_claims(token, &claims);
    if (claims.is_truncated) {
        return error_set(err, ERROR_TOO_LARGE, "too much was asked for with one token");
    }
    token_keys_signer(keys, &key);
    making.key_id = str_from(key.id);
    making.secret = (struct str){(const char *)key.bytes, sizeof(key.bytes)};
    jwt_sign_hmac(&making, strbuf_str(&claims), token_out);
    explicit_bzero(&key, sizeof(key));
    return token_out->is_truncated ? error_set(err, ERROR_TOO_LARGE, "the token is too long") : OK;
}

bool registry_token_is_one(struct str token)
{
    struct jwt jwt = {0};
    const bool is_one = !jwt_parse_own(token, TYPE, &jwt, NULL);

    jwt_release(&jwt);
    return is_one;
}

static enum error_code registry_token_refuse(struct error *err)
{
    return error_set(err, ERROR_UNAUTHENTICATED,
                     "the token is not one of this registry's, or was changed");
}

static void read_access(const struct json_value *access, struct strbuf *lines)
{
    for (size_t i = 0; i < json_value_length(access); i++) {
        const struct json_value *const entry = json_value_element(access, i);
        const struct json_value *const actions = json_value_member(entry, "actions");

        strbuf_append(lines, json_value_member_string(entry, "type"));
        strbuf_append_byte(lines, ':');
        strbuf_append(lines, json_value_member_string(entry, "name"));
        for (size_t k = 0; k < json_value_length(actions); k++) {
            strbuf_append_byte(lines, k == 0 ? ':' : ',');
            strbuf_append(lines, json_value_string(json_value_element(actions, k)));
        }
        strbuf_append_byte(lines, '\n');
    }
}

static void read_lines(const struct json_value *array, struct strbuf *lines)
{
    for (size_t i = 0; i < json_value_length(array); i++) {
        strbuf_append(lines, json_value_string(json_value_element(array, i)));
        strbuf_append_byte(lines, '\n');
    }
}

static struct str registry_token_read_login(const struct json_value *claims,
                                            char bytes[LOGIN_BYTES])
{
    const struct str text = json_value_member_string(claims, "login");
    struct base16_decode_ctx context;
    size_t length = LOGIN_BYTES;

    base16_decode_init(&context);
    if (text.length != BASE16_ENCODE_LENGTH(LOGIN_BYTES) ||
        base16_decode_update(&context, &length, (uint8_t *)bytes, text.length, text.bytes) != 1) {
        return (struct str){0};
    }
    return (struct str){bytes, length};
}

static struct identity *identity_of(const struct json_value *claims, int64_t expires_ms,
                                    bool has_expired)
{
    CLEANUP(strbuf_release) struct strbuf grants;
    CLEANUP(strbuf_release) struct strbuf refusals;
    struct identity fields = {
        .name = json_value_member_string(claims, "sub"),
        .audience = json_value_member_string(claims, "aud"),
        .expires_ms = expires_ms,
        .is_limited = true,
    };
    char login[LOGIN_BYTES];
    uint64_t kind = 0;

    strbuf_init(&grants, CLAIMS_MAX_BYTES);
    strbuf_init(&refusals, CLAIMS_MAX_BYTES);
    if (json_value_uint64(json_value_member(claims, "kind"), &kind) && kind <= IDENTITY_INSTANCE) {
        fields.kind = (enum identity_kind)kind;
    }
    if (!has_expired) {
        read_access(json_value_member(claims, "access"), &grants);
        read_lines(json_value_member(claims, "refused"), &refusals);
    }
    fields.grants = strbuf_str(&grants);
    fields.refusals = strbuf_str(&refusals);
    fields.login = registry_token_read_login(claims, login);
    return identity_new(&fields);
}

/* They are what we signed; their time is all that is left to see to. */
static enum error_code registry_token_read_claims(const struct token_reading *reading,
                                                  const struct json_value *claims,
                                                  struct identity **identity_out, struct error *err)
{
    int64_t expires_ms = 0;
    bool has_expired = false;

    if (token_read_time(claims, "exp", &expires_ms) != TOKEN_TIME_TOLD) {
        return registry_token_refuse(err);
    }
    has_expired = expires_ms <= reading->now_ms;
    if (has_expired && reading->age == TOKEN_MUST_BE_VALID) {
        return error_set(err, ERROR_UNAUTHENTICATED, "the token has expired");
    }
    *identity_out = identity_of(claims, expires_ms, has_expired);
    return OK;
}

enum error_code registry_token_read(const struct token_reading *reading, struct str token,
                                    struct identity **identity_out, struct error *err)
{
    struct jwt jwt = {0};
    struct token_key key;
    enum error_code code = jwt_parse_own(token, TYPE, &jwt, err);

    if (!code && !token_keys_find(reading->keys, jwt.key_id, &key)) {
        code = registry_token_refuse(err);
    }
    if (!code) {
        code = jwt_verify_hmac(&jwt, (struct str){(const char *)key.bytes, sizeof(key.bytes)}, err);
        explicit_bzero(&key, sizeof(key));
    }
    if (!code) {
        code = registry_token_read_claims(reading, jwt.claims, identity_out, err);
    }
    jwt_release(&jwt);
    return code;
}

static bool has_action(struct str actions, const char *action)
{
    struct str one;

    while (str_cut(&actions, ',', &one)) {
        if (str_is(one, action)) {
            return true;
        }
    }
    return false;
}

enum grant registry_token_grant(const struct identity *identity, struct str resource,
                                const char *action, struct str *reason_out)
{
    struct str rest = identity->grants;
    struct str line;

    while (str_cut(&rest, '\n', &line)) {
        const size_t colon = str_last_index_of(line, ':');

        if (str_equal(str_slice(line, 0, colon), resource) &&
            has_action(str_from_index(line, colon + 1), action)) {
            return GRANT_GIVEN;
        }
    }
    rest = identity->refusals;
    while (str_cut(&rest, '\n', &line)) {
        const struct str scope = str_slice(line, 0, str_index_of(line, ' '));
        const size_t colon = str_last_index_of(scope, ':');

        if (str_equal(str_slice(scope, 0, colon), resource) &&
            str_is(str_from_index(scope, colon + 1), action)) {
            *reason_out = str_from_index(line, scope.length + 1);
            return GRANT_REFUSED;
        }
    }
    return GRANT_NOT_ASKED;
}

static enum source_interest registry_token_interest(const struct identity_source *base,
                                                    const struct credentials *credentials)
{
    (void)base;
    return credentials->kind == CREDENTIALS_TOKEN && registry_token_is_one(credentials->secret)
               ? SOURCE_DECIDES
               : SOURCE_IGNORES;
}

static struct registry_token_source *registry_token_of(struct identity_source *base)
{
    return (struct registry_token_source *)base; /* its first member */
}

static enum error_code registry_token_identify(struct identity_source *base,
                                               const struct credentials *credentials,
                                               struct identity **identity_out, struct error *err)
{
    const struct token_reading reading = {registry_token_of(base)->keys,
                                          clock_wall_ms(registry_token_of(base)->clock),
                                          TOKEN_MUST_BE_VALID};

    return registry_token_read(&reading, credentials->secret, identity_out, err);
}

static enum error_code registry_token_identify_expired(struct identity_source *base,
                                                       const struct credentials *credentials,
                                                       struct identity **identity_out,
                                                       struct error *err)
{
    const struct token_reading reading = {registry_token_of(base)->keys,
                                          clock_wall_ms(registry_token_of(base)->clock),
                                          TOKEN_MAY_HAVE_EXPIRED};

    return registry_token_read(&reading, credentials->secret, identity_out, err);
}

static enum error_code registry_token_check(struct identity_source *base, struct strbuf *report,
                                            struct error *err)
{
    (void)base;
    (void)report;
    (void)err;
    return OK; /* it depends on nobody */
}

/* What was said of a token counts no more when its key was revoked. */
static unsigned long registry_token_generation(struct identity_source *base)
{
    return token_keys_generation(registry_token_of(base)->keys);
}

static void registry_token_free(struct identity_source *base)
{
    free(base);
}

static const struct identity_source_driver driver = {
    .name = "registry token",
    .interest = registry_token_interest,
    .identify = registry_token_identify,
    .identify_expired = registry_token_identify_expired,
    .check = registry_token_check,
    .generation = registry_token_generation,
    .free = registry_token_free,
};

struct identity_source *registry_token_source_new(struct token_keys *keys,
                                                  const struct clock *clock)
{
    struct registry_token_source *source = memory_new(1, sizeof(*source));

    source->base.driver = &driver;
    source->keys = keys;
    source->clock = clock;
    return &source->base;
}
