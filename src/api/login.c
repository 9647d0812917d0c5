#include "api/login.h"

#include <assert.h>
#include <stdlib.h>

#include "api/call.h"
#include "api/origin.h"
#include "api/routes.h"
#include "base/memory.h"
#include "base/strbuf.h"

/* See login_forget. */
struct kept_login {
    struct strbuf field;
    struct authenticator_ticket ticket;
};

enum { HASHING_MAX = 32 }; /* calls of each rank: some seconds' work */

static const char open_user[] = "anonymous";

struct identity *login_recall_kept(const struct call *call, struct str field)
{
    const struct kept_login *kept = call->exchange->session;

    return kept && credentials_are_equal(strbuf_str(&kept->field), field)
               ? authenticator_recall(call->api->config.authenticator, &kept->ticket)
               : NULL;
}

static struct kept_login *kept_login_new(void)
{
    struct kept_login *kept = memory_new(1, sizeof(*kept));

    strbuf_init_secret(&kept->field, LOGIN_KEPT_MAX_BYTES);
    return kept;
}

/* The field has led to call->ticket. */
static void keep_login(struct call *call, struct str field)
{
    struct http_exchange *exchange = call->exchange;
    struct kept_login *kept = NULL;

    if (field.length > LOGIN_KEPT_MAX_BYTES) {
        return;
    }
    if (!exchange->session) {
        exchange->session = kept_login_new();
    }
    kept = exchange->session;
    strbuf_clear(&kept->field);
    strbuf_append(&kept->field, field);
    kept->ticket = call->ticket;
}

void login_forget(void *context, void *session)
{
    struct kept_login *kept = session;

    (void)context;
    if (kept) {
        strbuf_release(&kept->field);
        memory_wipe(&kept->ticket, sizeof(kept->ticket));
        free(kept);
    }
}

/* A registry that has the same secret, or a copy of the database, takes its own tokens only. */
static enum error_code login_check_audience(const struct call *call,
                                            const struct identity *identity, struct error *err)
{
    return !identity->is_limited ||
                   str_equal_ignoring_case(identity->audience, origin_service(call))
               ? OK
               : error_set(err, ERROR_UNAUTHENTICATED, "the token is for another registry: %.*s",
                           STR_FORMAT(identity->audience));
}

static void set_identity(struct call *call, struct identity *identity)
{
    call->identity = identity;
    call->user = identity->name;
}

/* Only pulls: others also need the credentials themselves. */
static bool login_recall(struct call *call, struct str field)
{
    struct identity *identity =
        call->route->access == ACCESS_PULL ? login_recall_kept(call, field) : NULL;

    if (identity && !login_check_audience(call, identity, NULL)) {
        set_identity(call, identity);
        return true;
    }
    identity_release(identity);
    return false;
}

void login_leave_queue(struct call *call)
{
    if (call->is_hashing) {
        (void)atomic_fetch_sub(&call->api->hashing[call->exchange->rank], 1);
        call->is_hashing = false;
    }
}

/* Each rank has as many places: those who wait behind take none of those who go first. */
static enum error_code login_queue(struct call *call, const struct login *login, struct error *err)
{
    struct api *api = call->api;
    const enum login_rank rank = authenticator_rank(api->config.authenticator, login);

    call->exchange->rank = rank;
    call->is_hashing = true;
    if (atomic_fetch_add(&api->hashing[rank], 1) >= HASHING_MAX) {
        login_leave_queue(call);
        return error_set(err, ERROR_UNAVAILABLE,
                         "too many passwords are waiting to be verified at this moment");
    }
    return call_need(call, HTTP_HASHER, err);
}

/* Whether it may be somebody who goes on with an upload, or wants a token to do so. */
static bool goes_on(const struct call *call)
{
    return call->route->access == ACCESS_UPLOAD ||
           (call->route->access == ACCESS_TOKEN && call->credentials.kind == CREDENTIALS_TOKEN);
}

/*
 * A huge layer outlives a token: whoever began an upload may go on with it. Who that is, the upload
 * itself has to say if the credentials no longer can.
 */
static enum error_code login_identify_expired(struct call *call, struct error *err)
{
    struct identity *identity = NULL;

    if (call->credentials.kind == CREDENTIALS_TOKEN && call_need(call, HTTP_WAITER, err)) {
        return ERROR_UNAVAILABLE;
    }
    if (!authenticator_identify_expired(call->api->config.authenticator, &call->credentials,
                                        &identity, err)) {
        if (!login_check_audience(call, identity, err)) {
            set_identity(call, identity);
        } else {
            identity_release(identity);
        }
    }
    call->has_expired = true;
    return OK;
}

enum error_code login_identify(struct call *call, struct error *err)
{
    const bool has_password = call->credentials.kind == CREDENTIALS_PASSWORD;
    const enum http_thread asker = has_password ? HTTP_HASHER : HTTP_WAITER;
    const struct login login = {
        .credentials = &call->credentials,
        .address = origin_client_address(call),
        .may_ask = call->exchange->thread == asker,
        .ticket_out = &call->ticket,
    };
    struct identity *identity = NULL;
    bool must_ask = false;
    enum error_code code =
        authenticator_identify(call->api->config.authenticator, &login, &must_ask, &identity, err);

    login_leave_queue(call);
    if (must_ask) {
        return has_password ? login_queue(call, &login, err) : call_need(call, HTTP_WAITER, err);
    }
    if (!code) {
        code = login_check_audience(call, identity, err);
    }
    if (!code) {
        set_identity(call, identity);
        return OK;
    }
    identity_release(identity);
    if (code == ERROR_UNAUTHENTICATED) {
        call->challenge_error = "invalid_token";
    }
    return code == ERROR_UNAUTHENTICATED && goes_on(call) ? login_identify_expired(call, err)
                                                          : code;
}

/* Nobody in particular may read where reading is public, and ask for a token that says so. */
static enum error_code admit_unnamed(struct call *call, struct error *err)
{
    const enum access access = call->route->access;
    const bool is_reading = access == ACCESS_PULL || access == ACCESS_CATALOG;

    if (call->api->anonymous && (is_reading || access == ACCESS_TOKEN)) {
        set_identity(call, identity_retain(call->api->anonymous));
        return OK;
    }
    if (access == ACCESS_TOKEN && call->exchange->request.method == HTTP_POST) {
        return OK; /* they come in the form */
    }
    return error_set(err, ERROR_UNAUTHENTICATED, "log in first");
}

static bool may_keep(const struct call *call)
{
    return call->route->access == ACCESS_PULL && call->credentials.kind == CREDENTIALS_TOKEN;
}

enum error_code login_authenticate(struct call *call, struct error *err)
{
    const struct http_request *request = &call->exchange->request;
    size_t position = 0;
    const struct str field = http_request_next_header(request, "Authorization", &position);
    enum error_code code = OK;

    assert(call->route);
    if (!call->api->config.authenticator || call->route->access == ACCESS_PUBLIC) {
        call->user = str_from(open_user);
        return OK;
    }
    if (http_request_next_header(request, "Authorization", &position).bytes) {
        return error_set(err, ERROR_UNAUTHENTICATED, "there are two Authorization fields");
    }
    if (login_recall(call, field)) {
        return OK;
    }
    if (!call->credentials.kind) {
        code = credentials_parse(field, &call->credentials, err) ? ERROR_UNAUTHENTICATED : OK;
    }
    if (!code) {
        code = call->credentials.kind ? login_identify(call, err) : admit_unnamed(call, err);
    }
    if (!code && may_keep(call)) {
        keep_login(call, field);
    }
    return code;
}

struct str login_owner(struct call *call)
{
    const struct identity *identity = call->identity;
    const char *owner = NULL;

    if (!identity) {
        return call->user; /* of an open registry: everybody */
    }
    owner = arena_format(&call->exchange->arena, "%s:%.*s", identity_kind_name(identity->kind),
                         STR_FORMAT(identity->name));
    return str_from(owner);
}

int64_t login_ends_ms(const struct call *call)
{
    return call->identity ? call->identity->expires_ms : INT64_MAX;
}

struct str login_fingerprint(const struct call *call, char text[LOGIN_FINGERPRINT_BYTES])
{
    const bool has_name = call->credentials.kind == CREDENTIALS_PASSWORD;
    const struct str parts[] = {has_name ? call->credentials.name : (struct str){0},
                                call->credentials.secret};

    if (!call->credentials.kind) {
        return (struct str){0};
    }
    if (call->identity && call->identity->is_limited && call->identity->login.length > 0) {
        return call->identity->login;
    }
    keyed_hash_of(&call->api->config.login_hash, parts, ARRAY_LEN(parts), (uint8_t *)text);
    return (struct str){text, LOGIN_FINGERPRINT_BYTES};
}
