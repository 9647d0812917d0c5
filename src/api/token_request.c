#include "api/token_request.h"

#include "http/request.h"

static bool form_decode(struct str encoded, struct arena *arena, struct str *decoded_out)
{
    char *spaced = arena_text(arena, encoded);
    char *decoded = arena_new(arena, encoded.length + 1, 1);

    if (!spaced || !decoded) {
        return false;
    }
    for (size_t i = 0; i < encoded.length; i++) {
        spaced[i] = spaced[i] == '+' ? ' ' : spaced[i];
    }
    if (!http_percent_decode((struct str){spaced, encoded.length}, decoded, encoded.length + 1)) {
        return false;
    }
    *decoded_out = str_from(decoded);
    return true;
}

bool form_next(struct str *rest, struct arena *arena, struct form_field *field_out,
               bool *is_valid_out)
{
    struct str field = {0};
    size_t equals = 0;

    while (field.length == 0) {
        if (!str_cut(rest, '&', &field)) {
            return false;
        }
    }
    equals = str_index_of(field, '=');
    *is_valid_out = form_decode(str_slice(field, 0, equals), arena, &field_out->name) &&
                    form_decode(str_from_index(field, equals + 1), arena, &field_out->value);
    return true;
}

/* One field may hold several, separated by spaces. */
static enum error_code add_scopes(struct str scopes, struct token_request *request,
                                  struct error *err)
{
    struct str scope;

    while (str_cut(&scopes, ' ', &scope)) {
        if (scope.length == 0) {
            continue;
        }
        if (request->scope_count == TOKEN_SCOPES_MAX) {
            return error_set(err, ERROR_INVALID, "a token takes at most %d scopes",
                             TOKEN_SCOPES_MAX);
        }
        request->scopes[request->scope_count++] = scope;
    }
    return OK;
}

/* RFC 6749 3.2: no parameter more than once. */
static enum error_code set_once(struct str *place, struct str value, struct error *err)
{
    if (place->bytes) {
        return error_set(err, ERROR_INVALID, "a parameter is there twice");
    }
    *place = value;
    return OK;
}

/* Others are of no use here: service, account, client_id, access_type, offline_token. */
static enum error_code token_request_read_field(const struct form_field *field,
                                                struct token_request *request, struct error *err)
{
    if (str_is(field->name, "scope")) {
        return add_scopes(field->value, request, err);
    }
    if (str_is(field->name, "grant_type")) {
        return set_once(&request->grant_type, field->value, err);
    }
    if (str_is(field->name, "username")) {
        return set_once(&request->user, field->value, err);
    }
    if (str_is(field->name, "password")) {
        return set_once(&request->password, field->value, err);
    }
    return str_is(field->name, "refresh_token")
               ? set_once(&request->refresh_token, field->value, err)
               : OK;
}

enum error_code token_request_parse(struct str form, struct arena *arena,
                                    struct token_request *request_out, struct error *err)
{
    struct token_request request = {0};
    struct form_field field = {0};
    bool is_valid = false;

    while (form_next(&form, arena, &field, &is_valid)) {
        const enum error_code code =
            is_valid ? token_request_read_field(&field, &request, err) : OK;

        if (!is_valid) {
            return error_set(err, ERROR_INVALID, "a parameter is not well encoded");
        }
        if (code) {
            return code;
        }
    }
    *request_out = request;
    return OK;
}

static bool scope_is_printable(struct str text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.bytes[i] <= ' ' || text.bytes[i] > '~') {
            return false;
        }
    }
    return true;
}

/* Distribution's "Resource Class": deprecated and ignored, but docker still sends it for plugins.
 */
static struct str without_class(struct str type)
{
    return str_ends_with(type, ")") ? str_slice(type, 0, str_index_of(type, '(')) : type;
}

/* A name may hold colons (host:port), a type may not. */
static bool parse_scope(struct str text, struct token_scope *scope_out)
{
    const size_t first = str_index_of(text, ':');
    const size_t last = str_last_index_of(text, ':');

    if (first == text.length || last <= first + 1 || first == 0 || !scope_is_printable(text)) {
        return false;
    }
    scope_out->type = without_class(str_slice(text, 0, first));
    scope_out->name = str_slice(text, first + 1, last);
    scope_out->actions = str_from_index(text, last + 1);
    return scope_out->actions.length > 0;
}

bool token_scope_next(struct str *rest, struct token_scope *scope_out, bool *is_valid_out)
{
    struct str word = {0};

    while (word.length == 0) {
        if (!str_cut(rest, ' ', &word)) {
            return false;
        }
    }
    *is_valid_out = parse_scope(word, scope_out);
    return true;
}

const char *token_scope_of(struct str grants, struct arena *arena)
{
    const struct str lines = str_slice(grants, 0, str_last_index_of(grants, '\n'));
    char *const scope = arena_text(arena, lines);

    for (char *byte = scope; byte && *byte; byte++) {
        *byte = *byte == '\n' ? ' ' : *byte;
    }
    return scope;
}
