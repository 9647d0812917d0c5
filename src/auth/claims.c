#include "auth/claims.h"

#include "base/strbuf.h"

static const struct json_value *find(const struct json_value *claims, const char *names);
static const struct json_value *member(const struct json_value *claims, struct str name);
static enum error_code read_name(const struct json_value *claims, const char *names,
                                 struct str *name_out, struct error *err);
static bool is_usable(struct str name);
static enum identity_kind read_kind(const struct json_value *claims,
                                    const struct claim_names *names);
static enum identity_kind kind_of_realm(struct str realm);
static bool has_claim(const struct json_value *claims, struct str pair);
static void read_list(const struct json_value *value, struct strbuf *lines);
static void append_line(struct strbuf *lines, struct str line);

enum error_code claims_read(const struct json_value *claims, const struct claim_names *names,
                            int64_t expires_ms, struct identity **identity_out, struct error *err)
{
    struct identity fields = {.expires_ms = expires_ms};
    enum error_code code = read_name(claims, names->name, &fields.name, err);
    CLEANUP(strbuf_release) struct strbuf scopes;
    CLEANUP(strbuf_release) struct strbuf teams;

    strbuf_init(&scopes, IDENTITY_LIST_BYTES);
    strbuf_init(&teams, IDENTITY_LIST_BYTES);
    if (code) {
        return code;
    }
    read_list(find(claims, names->scope), &scopes);
    read_list(find(claims, names->team), &teams);
    fields.kind = read_kind(claims, names);
    fields.scopes = scopes.is_truncated ? (struct str){0} : strbuf_str(&scopes);
    fields.teams = teams.is_truncated ? (struct str){0} : strbuf_str(&teams);
    *identity_out = identity_new(&fields);
    return OK;
}

static enum error_code read_name(const struct json_value *claims, const char *names,
                                 struct str *name_out, struct error *err)
{
    const struct str name = json_value_string(find(claims, names));

    if (name.length == 0) {
        return error_set(err, ERROR_DENIED, "the token is valid, but does not say whose it is (%s)",
                         names);
    }
    if (name.length > IDENTITY_NAME_BYTES || !is_usable(name)) {
        return error_set(err, ERROR_DENIED,
                         "the token is valid, but names nobody in a usable way (%s)", names);
    }
    *name_out = name;
    return OK;
}

static bool is_usable(struct str name)
{
    for (size_t i = 0; i < name.length; i++) {
        if ((unsigned char)name.bytes[i] < ' ' || name.bytes[i] == '\x7f') {
            return false;
        }
    }
    return true;
}

/* The first of the names, separated by spaces, that is there. */
static const struct json_value *find(const struct json_value *claims, const char *names)
{
    struct str rest = str_from(names);
    struct str name;

    while (str_cut(&rest, ' ', &name)) {
        const struct json_value *const value = member(claims, name);

        if (name.length > 0 && value) {
            return value;
        }
    }
    return NULL;
}

static const struct json_value *member(const struct json_value *claims, struct str name)
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

static enum identity_kind read_kind(const struct json_value *claims,
                                    const struct claim_names *names)
{
    const struct json_value *const realm = find(claims, names->realm);
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

static enum identity_kind kind_of_realm(struct str realm)
{
    const struct str name = str_from_index(realm, str_starts_with(realm, "/") ? 1 : 0);

    if (str_is(name, "employees")) {
        return IDENTITY_EMPLOYEE;
    }
    return str_is(name, "services") ? IDENTITY_SERVICE : IDENTITY_UNKNOWN;
}

/* NAME=VALUE: a string that is VALUE, or a list that holds it. */
static bool has_claim(const struct json_value *claims, struct str pair)
{
    const size_t equals = str_index_of(pair, '=');
    const struct str wanted = str_from_index(pair, equals + 1);
    const struct json_value *const value = member(claims, str_slice(pair, 0, equals));

    if (json_value_is_string(value)) {
        return str_equal(json_value_string(value), wanted);
    }
    for (size_t i = 0; i < json_value_length(value); i++) {
        if (str_equal(json_value_string(json_value_element(value, i)), wanted)) {
            return true;
        }
    }
    return false;
}

static void read_list(const struct json_value *value, struct strbuf *lines)
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

/* What holds a line break is no entry: it could pass for two. */
static void append_line(struct strbuf *lines, struct str line)
{
    if (line.length > 0 && str_index_of(line, '\n') == line.length) {
        strbuf_append(lines, line);
        strbuf_append_byte(lines, '\n');
    }
}
