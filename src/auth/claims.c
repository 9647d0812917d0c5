#include "auth/claims.h"

#include <assert.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "base/token.h"
#include "base/utf8.h"

enum { SHOWN_MAX_BYTES = 100 };

static const struct json_value *claims_member(const struct json_value *claims, struct str name)
{
    const struct json_value *value = NULL;
    struct strbuf text;

    strbuf_init(&text, IDENTITY_NAME_BYTES);
    strbuf_append(&text, name);
    if (!text.is_truncated) {
        value = json_value_member(claims, text.text);
    }
    strbuf_release(&text);
    return value;
}

/* The first of the names, separated by spaces, that is there. */
static const struct json_value *claims_find(const struct json_value *claims, const char *names)
{
    struct str rest = str_from(names);
    struct str name;

    while (str_cut(&rest, ' ', &name)) {
        const struct json_value *const value = claims_member(claims, name);

        if (name.length > 0 && value) {
            return value;
        }
    }
    return NULL;
}

static bool claims_is_usable(struct str name)
{
    for (size_t i = 0; i < name.length; i++) {
        if ((unsigned char)name.bytes[i] < ' ' || name.bytes[i] == '\x7f') {
            return false;
        }
    }
    return true;
}

static enum error_code claims_read_name(const struct json_value *claims, const char *names,
                                        struct str *name_out, struct error *err)
{
    const struct str name = json_value_string(claims_find(claims, names));

    if (name.length == 0) {
        return error_set(err, ERROR_DENIED, "the token is valid, but does not say whose it is (%s)",
                         names);
    }
    if (name.length > IDENTITY_NAME_BYTES || !claims_is_usable(name)) {
        return error_set(err, ERROR_DENIED,
                         "the token is valid, but names nobody in a usable way (%s)", names);
    }
    *name_out = name;
    return OK;
}

/* What holds a line break is no entry: it could pass for two. */
static void append_line(struct strbuf *lines, struct str line)
{
    if (line.length > 0 && str_index_of(line, '\n') == line.length) {
        strbuf_append(lines, line);
        strbuf_append_byte(lines, '\n');
    }
}

static void claims_read_list(const struct json_value *value, struct strbuf *lines)
{
    struct str rest = json_value_string(value);
    struct str word;

    while (str_cut(&rest, ' ', &word)) {
        append_line(lines, word);
    }
    for (size_t i = 0; i < json_value_length(value); i++) {
        append_line(lines, json_value_string(json_value_element(value, i)));
    }
}

static enum identity_kind kind_of_realm(struct str realm)
{
    const struct str name = str_from_index(realm, str_starts_with(realm, "/") ? 1 : 0);

    if (str_is(name, "employees")) {
        return IDENTITY_EMPLOYEE;
    }
    return str_is(name, "services") ? IDENTITY_SERVICE : IDENTITY_UNKNOWN;
}

/* NAME=VALUE */
static bool has_claim(const struct json_value *claims, struct str pair)
{
    const size_t equals = str_index_of(pair, '=');

    return json_value_has_text(claims_member(claims, str_slice(pair, 0, equals)),
                               str_from_index(pair, equals + 1));
}

static enum identity_kind claims_read_kind(const struct json_value *claims,
                                           const struct claim_names *names)
{
    const struct json_value *const realm = claims_find(claims, names->realm);
    const struct str subject = json_value_member_string(claims, "sub");
    const struct str client = json_value_member_string(claims, "client_id");

    if (realm) { /* one that cannot be read is no reason to guess */
        return kind_of_realm(json_value_string(realm));
    }
    if (names->service) {
        return has_claim(claims, str_from(names->service)) ? IDENTITY_SERVICE : IDENTITY_EMPLOYEE;
    }
    if (subject.length == 0 || client.length == 0) {
        return IDENTITY_UNKNOWN;
    }
    return str_equal(subject, client) ? IDENTITY_SERVICE : IDENTITY_EMPLOYEE;
}

enum error_code claims_read(const struct json_value *claims, const struct claim_names *names,
                            int64_t expires_ms, struct identity **identity_out, struct error *err)
{
    struct identity fields = {.expires_ms = expires_ms};
    enum error_code code = claims_read_name(claims, names->name, &fields.name, err);
    CLEANUP(strbuf_release) struct strbuf scopes;
    CLEANUP(strbuf_release) struct strbuf teams;

    strbuf_init(&scopes, IDENTITY_LIST_BYTES);
    strbuf_init(&teams, IDENTITY_LIST_BYTES);
    if (code) {
        return code;
    }
    claims_read_list(claims_find(claims, names->scope), &scopes);
    claims_read_list(claims_find(claims, names->team), &teams);
    fields.kind = claims_read_kind(claims, names);
    fields.scopes = scopes.is_truncated ? (struct str){0} : strbuf_str(&scopes);
    fields.teams = teams.is_truncated ? (struct str){0} : strbuf_str(&teams);
    *identity_out = identity_new(&fields);
    return OK;
}

/* What a message may show of a text of others: short, in plain characters. */
static struct str claims_shown(struct str text)
{
    const struct str head = str_slice(text, 0, SHOWN_MAX_BYTES);

    return str_slice(head, 0, utf8_plain_prefix(head));
}

/* RFC 7519 4.1.1: compared byte by byte. */
static enum error_code claims_check_issuer(const struct json_value *claims,
                                           const struct claim_rules *rules, struct error *err)
{
    const struct str issuer = json_value_member_string(claims, "iss");

    if (!str_is(issuer, rules->issuer)) {
        return error_set(err, ERROR_UNAUTHENTICATED, "the token is by '%.*s', not by %s",
                         STR_FORMAT(claims_shown(issuer)), rules->issuer);
    }
    return OK;
}

bool claims_are_for(const struct json_value *claims, const char *audience)
{
    return json_value_has_text(json_value_member(claims, "aud"), str_from(audience));
}

/* RFC 7519 4.1.3: one string, or an array of them. */
static enum error_code claims_check_audience(const struct json_value *claims,
                                             const struct claim_rules *rules, struct error *err)
{
    const struct json_value *audience = json_value_member(claims, "aud");
    const struct json_value *first =
        json_value_is_array(audience) ? json_value_element(audience, 0) : audience;

    if (!rules->audience || claims_are_for(claims, rules->audience)) {
        return OK;
    }
    if (!json_value_is_string(first)) {
        return error_set(err, ERROR_UNAUTHENTICATED, "the token is for no audience, not for '%s'",
                         rules->audience);
    }
    return error_set(err, ERROR_UNAUTHENTICATED, "the token is for audience '%.*s', not for '%s'",
                     STR_FORMAT(claims_shown(json_value_string(first))), rules->audience);
}

static enum error_code claims_check_expiry(const struct json_value *claims,
                                           const struct claim_rules *rules, struct error *err)
{
    char text[CLOCK_ISO_BYTES];
    int64_t expires_ms = 0;
    const enum token_time exp = token_read_time(claims, "exp", &expires_ms);

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

static enum error_code claims_check_begin(const struct json_value *claims,
                                          const struct claim_rules *rules, struct error *err)
{
    char text[CLOCK_ISO_BYTES];
    int64_t begins_ms = 0;
    const enum token_time nbf = token_read_time(claims, "nbf", &begins_ms);

    if (nbf == TOKEN_TIME_WRONG) {
        return error_set(err, ERROR_UNAUTHENTICATED, "the token's 'nbf' is no date in seconds");
    }
    if (rules->now_ms + rules->leeway_ms < begins_ms) {
        clock_format_iso(begins_ms, text);
        return error_set(err, ERROR_UNAUTHENTICATED, "the token is not valid before %s", text);
    }
    return OK;
}

enum error_code claims_check(const struct json_value *claims, const struct claim_rules *rules,
                             struct error *err)
{
    enum error_code code = OK;

    assert(rules->issuer);
    assert(rules->issuer[0] != '\0');
    assert(rules->leeway_ms >= 0);
    code = claims_check_issuer(claims, rules, err);
    if (!code) {
        code = claims_check_audience(claims, rules, err);
    }
    if (!code) {
        code = claims_check_expiry(claims, rules, err);
    }
    return code ? code : claims_check_begin(claims, rules, err);
}

int64_t claims_expires_ms(const struct json_value *claims)
{
    int64_t expires_ms = 0;

    (void)!token_read_time(claims, "exp", &expires_ms);
    return expires_ms;
}
