#include <assert.h>
#include <stdlib.h>

#include "api/call.h"
#include "api/login.h"
#include "api/origin.h"
#include "api/permission.h"
#include "api/routes.h"
#include "api/token_request.h"
#include "auth/registry_token.h"
#include "base/clock.h"
#include "base/json_writer.h"

enum {
    LINES_MAX_BYTES = 16 * 1024,
    FORM_MAX_BYTES = 128 * 1024,       /* a token, encoded, and scopes */
    DECISION_MAX_MS = 10 * 1000,       /* for all look-ups of one request: others need the thread */
    TOKEN_LIFETIME_MIN_MS = 60 * 1000, /* distribution: clients count on a minute */
};

/* What comes of it. */
struct decision {
    struct strbuf grants;
    struct strbuf refusals;
    int64_t deadline_ms; /* monotonic */
};

static enum error_code need_provider(const struct call *call, struct error *err)
{
    return call->api->config.authenticator
               ? OK
               : error_set(err, ERROR_NOT_FOUND,
                           "there are no tokens here: this registry has no identity provider");
}

static bool has_upload(struct call *call, const struct token_scope *scope, struct str *owner_out)
{
    char fingerprint[LOGIN_FINGERPRINT_BYTES];
    struct upload_key key = {
        .identity = login_owner(call),
        .login = login_fingerprint(call, fingerprint),
        .login_ends_ms = login_ends_ms(call),
        .has_expired = true,
    };

    return str_is(scope->type, "repository") &&
           !repository_parse(scope->name, &key.repository, NULL) &&
           !registry_find_upload_owner(call->api->config.registry, &key, &call->exchange->arena,
                                       owner_out, NULL);
}

/* As login_owner has it. */
static enum error_code set_owner(struct call *call, struct str owner, struct error *err)
{
    struct identity fields = {0};
    struct str kind;

    fields.name = owner;
    if (!str_cut(&fields.name, ':', &kind) || !identity_kind_parse(kind, &fields.kind) ||
        fields.name.length == 0) {
        return error_set(err, ERROR_UNAUTHENTICATED, "the login is over: log in again");
    }
    fields.name = str_slice(fields.name, 0, IDENTITY_NAME_BYTES);
    identity_release(call->identity);
    call->identity = identity_new(&fields);
    call->user = call->identity->name;
    return OK;
}

/*
 * Clients get a new token for each few minutes of a push. Whoever is in the middle of an upload
 * gets one as long as it lasts, although their login has ended meanwhile; it grants nothing else.
 */
static enum error_code identify_by_upload(struct call *call, const struct token_request *request,
                                          struct error *err)
{
    struct token_scope scope = {0};
    struct str owner = {0};
    bool is_valid = false;

    for (size_t i = 0; i < request->scope_count; i++) {
        struct str scopes = request->scopes[i];

        while (token_scope_next(&scopes, &scope, &is_valid)) {
            if (is_valid && has_upload(call, &scope, &owner)) {
                return set_owner(call, owner, err);
            }
        }
    }
    return error_set(err, ERROR_UNAUTHENTICATED, "the login is not valid, or not any more");
}

static enum error_code decide_action(struct call *call, const struct token_scope *scope,
                                     struct str action, struct error *err)
{
    struct repository repository = {0};

    if (call->has_expired) {
        return error_set(err, ERROR_UNAUTHENTICATED,
                         "the login is over, and only good to end an upload: log in again");
    }
    if (str_is(scope->type, "registry") && str_is(scope->name, "catalog") && str_is(action, "*")) {
        return permission_decide(call, ACTION_LIST, repository.team, err);
    }
    if (!str_is(scope->type, "repository")) {
        return error_set(err, ERROR_DENIED, "there is no such resource here");
    }
    if (repository_parse(scope->name, &repository, err)) {
        return ERROR_DENIED;
    }
    if (str_is(action, "pull")) {
        return permission_decide(call, ACTION_PULL, repository.team, err);
    }
    if (str_is(action, "push")) {
        return permission_decide(call, ACTION_PUSH, repository.team, err);
    }
    return error_set(err, ERROR_DENIED, "only pull and push can be granted");
}

static void append_resource(struct strbuf *lines, const struct token_scope *scope)
{
    strbuf_append(lines, scope->type);
    strbuf_append_byte(lines, ':');
    strbuf_append(lines, scope->name);
}

static void add_refusal(struct decision *decision, const struct token_scope *scope,
                        struct str action, const char *reason)
{
    struct strbuf *lines = &decision->refusals;

    append_resource(lines, scope);
    strbuf_append_byte(lines, ':');
    strbuf_append(lines, action);
    strbuf_append_byte(lines, ' ');
    strbuf_append_text(lines, reason);
    strbuf_append_byte(lines, '\n');
}

/* What is granted; what is refused, with the reason, so that its use can be told why. */
static enum error_code decide_scope(struct call *call, const struct token_scope *scope,
                                    struct decision *decision, struct error *err)
{
    struct str actions = scope->actions;
    struct str action;
    size_t granted = 0;
    size_t count = 0;

    while (str_cut(&actions, ',', &action) && ++count <= TOKEN_ACTIONS_MAX) {
        const enum error_code code = decide_action(call, scope, action, err);

        if (code == ERROR_UNAVAILABLE || code == ERROR_TOO_MANY || code == ERROR_INTERNAL) {
            return code;
        }
        if (code) {
            add_refusal(decision, scope, action, err->message);
            continue;
        }
        if (granted++ == 0) {
            append_resource(&decision->grants, scope);
        }
        strbuf_append_byte(&decision->grants, granted == 1 ? ':' : ',');
        strbuf_append(&decision->grants, action);
    }
    strbuf_append_text(&decision->grants, granted > 0 ? "\n" : "");
    return OK;
}

static enum error_code decide_scopes(struct call *call, struct str scopes,
                                     struct decision *decision, struct error *err)
{
    struct token_scope scope = {0};
    enum error_code code = OK;
    bool is_valid = false;

    while (!code && token_scope_next(&scopes, &scope, &is_valid)) {
        if (clock_monotonic_ms(call->api->config.clock) >= decision->deadline_ms) {
            return error_set(err, ERROR_UNAVAILABLE, "asking for all scopes takes too long");
        }
        if (!is_valid) {
            return error_set(err, ERROR_INVALID, "a scope must be TYPE:NAME:ACTION,ACTION");
        }
        code = decide_scope(call, &scope, decision, err);
    }
    return code;
}

static enum error_code decide_all(struct call *call, const struct token_request *request,
                                  struct decision *decision, struct error *err)
{
    for (size_t i = 0; i < request->scope_count; i++) {
        const enum error_code code = decide_scopes(call, request->scopes[i], decision, err);

        if (code) {
            return code;
        }
    }
    if (decision->grants.is_truncated || decision->refusals.is_truncated) {
        return error_set(err, ERROR_TOO_LARGE, "too much was asked for with one token");
    }
    return OK;
}

/* No longer than the login that it was given for, but for the minute that clients count on. */
static int64_t token_lifetime_of(const struct call *call, int64_t now_ms)
{
    const int64_t usual_ms = call->api->config.token_lifetime_ms;
    const int64_t left_ms = call->identity->expires_ms - now_ms;
    const int64_t lifetime_ms = left_ms < usual_ms ? left_ms : usual_ms;

    return lifetime_ms < TOKEN_LIFETIME_MIN_MS ? TOKEN_LIFETIME_MIN_MS : lifetime_ms;
}

static enum error_code respond_signed(struct call *call, struct str token,
                                      const struct registry_token *given, struct error *err)
{
    const int64_t lifetime_ms = given->expires_ms - given->issued_ms;
    const char *const scope = token_scope_of(given->grants, &call->exchange->arena);
    struct json_writer writer;
    char issued[CLOCK_ISO_BYTES];

    clock_format_iso(given->issued_ms, issued);
    call->written.is_secret = true;
    json_writer_init(&writer, &call->written);
    json_writer_begin_object(&writer);
    json_writer_member(&writer, "token", token);
    json_writer_member(&writer, "access_token", token);
    json_writer_member_uint64(&writer, "expires_in", (uint64_t)(lifetime_ms / MS_PER_SECOND));
    json_writer_member(&writer, "issued_at", str_from(issued));
    json_writer_member(&writer, "token_type", str_from("Bearer"));
    json_writer_member(&writer, "scope", str_from(scope));
    json_writer_end_object(&writer);
    if (call->written.is_truncated) {
        return error_set(err, ERROR_TOO_LARGE, "too much was asked for with one token");
    }
    http_response_add(&call->exchange->response, "Cache-Control", str_from("no-store"));
    call_respond_body(call, 200, "application/json", strbuf_str(&call->written));
    call->granted = scope;
    return OK;
}

static enum error_code token_sign(struct call *call, const struct decision *decision,
                                  struct error *err)
{
    const struct api_config *config = &call->api->config;
    const int64_t now_ms = clock_wall_ms(config->clock);
    char fingerprint[LOGIN_FINGERPRINT_BYTES];
    const struct registry_token wanted = {
        .identity = call->identity,
        .audience = origin_service(call),
        .grants = strbuf_str(&decision->grants),
        .refusals = strbuf_str(&decision->refusals),
        .login = login_fingerprint(call, fingerprint),
        .issued_ms = now_ms,
        .expires_ms = now_ms + token_lifetime_of(call, now_ms),
    };
    CLEANUP(strbuf_release) struct strbuf token;
    enum error_code code = OK;

    strbuf_init_secret(&token, REGISTRY_TOKEN_MAX_BYTES);
    code = registry_token_sign(config->token_keys, &wanted, &token, err);
    return code ? code : respond_signed(call, strbuf_str(&token), &wanted, err);
}

static enum error_code respond_decided(struct call *call, const struct token_request *request,
                                       struct error *err)
{
    struct decision decision = {0};
    enum error_code code = OK;

    if (call->has_expired) {
        code = identify_by_upload(call, request, err);
    }
    if (code) {
        return code;
    }
    assert(call->identity);
    if (call->identity->is_limited) {
        return error_set(err, ERROR_UNAUTHENTICATED,
                         "a token of this registry is no login: present the provider's");
    }
    decision.deadline_ms = clock_monotonic_ms(call->api->config.clock) + DECISION_MAX_MS;
    strbuf_init(&decision.grants, LINES_MAX_BYTES);
    strbuf_init(&decision.refusals, LINES_MAX_BYTES);
    code = decide_all(call, request, &decision, err);
    if (!code) {
        code = token_sign(call, &decision, err);
    }
    strbuf_release(&decision.grants);
    strbuf_release(&decision.refusals);
    return code;
}

static enum error_code token_get(struct call *call, struct error *err)
{
    struct token_request request;
    enum error_code code = need_provider(call, err);

    call->exchange->arena.is_secret = true; /* some put a password into the query */
    if (!code) {
        code = token_request_parse(call->exchange->request.query, &call->exchange->arena, &request,
                                   err);
    }
    return code ? code : respond_decided(call, &request, err);
}

/* The form holds a password or a token. */
static enum error_code token_begin_post(struct call *call, struct error *err)
{
    const enum error_code code = need_provider(call, err);

    call->body.is_secret = true;
    call->body.limit_bytes = FORM_MAX_BYTES;
    call->exchange->arena.is_secret = true;
    call->wants_body = !code;
    return code;
}

/* A refresh token is what Docker keeps as `identitytoken`: here, a token of the provider. */
static enum error_code take_credentials(struct call *call, const struct token_request *request,
                                        struct error *err)
{
    enum error_code code = OK;

    if (str_is(request->grant_type, "refresh_token")) {
        code = credentials_of_user(str_from("oauth2"), request->refresh_token, &call->credentials,
                                   err);
    } else if (str_is(request->grant_type, "password")) {
        code = credentials_of_user(request->user, request->password, &call->credentials, err);
    } else if (request->grant_type.length > 0) {
        return error_set(err, ERROR_INVALID,
                         "grant_type must be password or refresh_token (RFC 6749)");
    } else if (call->identity) {
        return OK; /* reading is public, and nobody says who they are */
    } else {
        return error_set(err, ERROR_UNAUTHENTICATED, "log in first");
    }
    if (!code) {
        identity_release(call->identity);
        call->identity = NULL;
    }
    return code;
}

/* The OAuth 2.0 form of asking (distribution "OAuth2 Token Authentication"). */
static enum error_code token_end_post(struct call *call, struct error *err)
{
    struct token_request request;
    enum error_code code =
        token_request_parse(strbuf_str(&call->body), &call->exchange->arena, &request, err);

    if (!code && !call->credentials.kind) {
        code = take_credentials(call, &request, err);
    }
    if (!code && !call->identity && !call->has_expired) {
        code = login_identify(call, err); /* where it may be: this is called again there */
    }
    return code ? code : respond_decided(call, &request, err);
}

const struct handler token_get_handler = {.begin = token_get};
const struct handler token_post_handler = {.begin = token_begin_post, .end = token_end_post};
