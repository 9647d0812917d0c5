#include "api/token_request.h"

#include "api/form.h"

static enum error_code read_field(const struct form_field *field, struct token_request *request,
                                  struct error *err);
static enum error_code set_once(struct str *place, struct str value, struct error *err);
static enum error_code add_scopes(struct str scopes, struct token_request *request,
                                  struct error *err);

enum error_code token_request_parse(struct str form, struct arena *arena,
                                    struct token_request *request_out, struct error *err)
{
    struct token_request request = {0};
    struct form_field field = {0};
    bool is_valid = false;

    while (form_next(&form, arena, &field, &is_valid)) {
        const enum error_code code = is_valid ? read_field(&field, &request, err) : OK;

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

/* Others are of no use here: service, account, client_id, access_type, offline_token. */
static enum error_code read_field(const struct form_field *field, struct token_request *request,
                                  struct error *err)
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

/* RFC 6749 3.2: no parameter more than once. */
static enum error_code set_once(struct str *place, struct str value, struct error *err)
{
    if (place->bytes) {
        return error_set(err, ERROR_INVALID, "a parameter is there twice");
    }
    *place = value;
    return OK;
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
