#include "auth/jwt_claims.h"

#include <assert.h>

#include "base/clock.h"
#include "base/token.h"
#include "base/utf8.h"

enum { SHOWN_MAX_BYTES = 100 };

static enum error_code check_issuer(const struct jwt *jwt, const struct jwt_rules *rules,
                                    struct error *err);
static struct str shown(struct str text);
static enum error_code check_audience(const struct jwt *jwt, const struct jwt_rules *rules,
                                      struct error *err);
static enum error_code check_expiry(const struct jwt *jwt, const struct jwt_rules *rules,
                                    struct error *err);
static enum error_code check_begin(const struct jwt *jwt, const struct jwt_rules *rules,
                                   struct error *err);

enum error_code jwt_check_claims(const struct jwt *jwt, const struct jwt_rules *rules,
                                 struct error *err)
{
    enum error_code code = OK;

    assert(rules->issuer);
    assert(rules->issuer[0] != '\0');
    assert(rules->leeway_ms >= 0);
    code = check_issuer(jwt, rules, err);
    if (!code) {
        code = check_audience(jwt, rules, err);
    }
    if (!code) {
        code = check_expiry(jwt, rules, err);
    }
    return code ? code : check_begin(jwt, rules, err);
}

/* RFC 7519 4.1.1: compared byte by byte. */
static enum error_code check_issuer(const struct jwt *jwt, const struct jwt_rules *rules,
                                    struct error *err)
{
    const struct str issuer = json_value_member_string(jwt->claims, "iss");

    if (!str_is(issuer, rules->issuer)) {
        return error_set(err, ERROR_UNAUTHENTICATED, "the token is by '%.*s', not by %s",
                         STR_FORMAT(shown(issuer)), rules->issuer);
    }
    return OK;
}

/* What a message may show of a text of others: short, in plain characters. */
static struct str shown(struct str text)
{
    const struct str head = str_slice(text, 0, SHOWN_MAX_BYTES);

    return str_slice(head, 0, utf8_plain_prefix(head));
}

/* RFC 7519 4.1.3: one string, or an array of them. */
static enum error_code check_audience(const struct jwt *jwt, const struct jwt_rules *rules,
                                      struct error *err)
{
    const struct json_value *audience = json_value_member(jwt->claims, "aud");
    const struct json_value *first =
        json_value_is_array(audience) ? json_value_element(audience, 0) : audience;

    if (!rules->audience || str_is(json_value_string(audience), rules->audience)) {
        return OK;
    }
    for (size_t i = 0; i < json_value_length(audience); i++) {
        if (str_is(json_value_string(json_value_element(audience, i)), rules->audience)) {
            return OK;
        }
    }
    if (!json_value_is_string(first)) {
        return error_set(err, ERROR_UNAUTHENTICATED, "the token is for no audience, not for '%s'",
                         rules->audience);
    }
    return error_set(err, ERROR_UNAUTHENTICATED, "the token is for audience '%.*s', not for '%s'",
                     STR_FORMAT(shown(json_value_string(first))), rules->audience);
}

static enum error_code check_expiry(const struct jwt *jwt, const struct jwt_rules *rules,
                                    struct error *err)
{
    char text[CLOCK_ISO_BYTES];
    int64_t expires_ms = 0;
    const enum token_time exp = token_read_time(jwt->claims, "exp", &expires_ms);

    if (exp != TOKEN_TIME_TOLD) {
        return error_set(err, ERROR_UNAUTHENTICATED, "the token's 'exp' %s",
                         exp == TOKEN_TIME_ABSENT ? "is missing" : "is no date in seconds");
    }
    if (rules->now_ms - rules->leeway_ms >= expires_ms) {
        clock_format_iso(expires_ms, text);
        return error_set(err, ERROR_UNAUTHENTICATED, "the token expired at %s", text);
    }
    return OK;
}

static enum error_code check_begin(const struct jwt *jwt, const struct jwt_rules *rules,
                                   struct error *err)
{
    char text[CLOCK_ISO_BYTES];
    int64_t begins_ms = 0;
    const enum token_time nbf = token_read_time(jwt->claims, "nbf", &begins_ms);

    if (nbf == TOKEN_TIME_WRONG) {
        return error_set(err, ERROR_UNAUTHENTICATED, "the token's 'nbf' is no date in seconds");
    }
    if (rules->now_ms + rules->leeway_ms < begins_ms) {
        clock_format_iso(begins_ms, text);
        return error_set(err, ERROR_UNAUTHENTICATED, "the token is not valid before %s", text);
    }
    return OK;
}

int64_t jwt_expires_ms(const struct jwt *jwt)
{
    int64_t expires_ms = 0;

    (void)!token_read_time(jwt->claims, "exp", &expires_ms);
    return expires_ms;
}
