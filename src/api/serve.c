#include <stdio.h>
#include <stdlib.h>

#include "api/api.h"
#include "api/api_private.h"
#include "api/collected_body.h"
#include "api/errors.h"
#include "api/handlers.h"
#include "api/known_login.h"
#include "api/login.h"
#include "api/origin.h"
#include "api/permission.h"
#include "api/request_log.h"
#include "api/routes.h"
#include "api/team_path.h"
#include "base/memory.h"
#include "base/random.h"
#include "registry/blobs.h"

enum { ALLOW_MAX_BYTES = 64 };

static enum http_step begin(void *context, struct http_exchange *exchange);
static enum http_step data(void *context, struct http_exchange *exchange, struct str bytes);
static size_t room(void *context, struct http_exchange *exchange);
static enum http_step end(void *context, struct http_exchange *exchange);
static void refuse(void *context, struct http_exchange *exchange,
                   const struct http_refusal *refusal);
static void finish(void *context, struct http_exchange *exchange, bool is_sent);
static struct str client_address(void *context, struct http_exchange *exchange);
static struct call *call_of(struct api *api, struct http_exchange *exchange);
static struct call *new_call(struct api *api, struct http_exchange *exchange);
static uint64_t largest_body(const struct call *call);
static bool is_remembered(struct call *call);
static bool belongs_elsewhere(const struct call *call, enum error_code code);
static bool is_unfinished(const struct call *call);
static enum route_place place_of(const struct call *call);
static enum http_step step_there(struct call *call, enum error_code code);
static enum error_code route(struct call *call, struct error *err);
static enum error_code authorize(struct call *call, struct error *err);
static enum error_code refuse_foreign(const struct call *call, struct error *err);
static enum error_code no_such_route(struct call *call, bool is_known_path, struct error *err);
static enum error_code parse_path(struct call *call, struct error *err);
static enum http_step conclude(struct call *call, enum error_code code, const struct error *err);

struct api *api_new(const struct api_config *config)
{
    const struct identity anonymous = {
        .kind = IDENTITY_ANONYMOUS, .name = STR_LITERAL("anonymous"), .expires_ms = INT64_MAX};
    struct api *api = memory_new(1, sizeof(*api));
    uint32_t prefix = 0;

    api->config = *config;
    body_memory_init(&api->bodies, config->manifest_max_bytes);
    api->anonymous = config->public_read ? identity_new(&anonymous) : NULL;
    random_fill(&prefix, sizeof(prefix));
    (void)snprintf(api->id_prefix, sizeof(api->id_prefix), "%08x", (unsigned)prefix);
    return api;
}

void api_free(struct api *api)
{
    if (api) {
        identity_release(api->anonymous);
        body_memory_release(&api->bodies);
        free(api);
    }
}

struct http_application api_application(struct api *api)
{
    return (struct http_application){
        .context = api,
        .begin = begin,
        .data = data,
        .room = room,
        .end = end,
        .refuse = refuse,
        .finish = finish,
        .is_proxy = origin_is_proxy,
        .client_address = client_address,
        .leave = known_login_leave,
    };
}

/* The life of a request: each step in order, and the first that fails is the answer. */
static enum http_step begin(void *context, struct http_exchange *exchange)
{
    struct call *call = call_of(context, exchange);
    struct error err = {0};
    bool wants_body = false;
    enum error_code code = route(call, &err);

    if (!code) {
        code = login_authenticate(call, &err);
    }
    if (!code) {
        code = authorize(call, &err);
    }
    if (!code && is_remembered(call)) {
        return HTTP_ANSWER;
    }
    if (belongs_elsewhere(call, code)) {
        return step_there(call, code);
    }
    if (!code) {
        code = call->route->handler->begin(call, &wants_body, &err);
    }
    if (code && is_unfinished(call)) {
        return step_there(call, code);
    }
    if (!code && wants_body) {
        exchange->body_max_bytes = largest_body(call);
        return HTTP_BODY;
    }
    return conclude(call, code, &err);
}

static uint64_t largest_body(const struct call *call)
{
    if (call->upload) {
        return upload_allowed_bytes(call->upload);
    }
    return call->route->handler->data ? UINT64_MAX : call->body.limit_bytes;
}

/* What will never change may be known here: then nobody has to be woken for it. */
static bool is_remembered(struct call *call)
{
    const struct handler *handler = call->route->handler;

    return !call->exchange->may_block && handler->recall && handler->recall(call);
}

/* Whether somebody has to be asked first, or the route needs another thread than this one. */
static bool belongs_elsewhere(const struct call *call, enum error_code code)
{
    const struct http_exchange *exchange = call->exchange;

    if (code) {
        return is_unfinished(call);
    }
    switch (place_of(call)) {
    case ON_LOOP:
        return false;
    case ON_WORKER:
        return !exchange->may_block;
    case ON_WAITER:
        return !exchange->may_wait;
    case ON_STORAGE:
        return !exchange->may_carry;
    }
    abort(); /* the switch is complete */
}

static bool is_unfinished(const struct call *call)
{
    return (call->waits && !call->exchange->may_wait) ||
           (call->hashes && !call->exchange->may_hash) ||
           (call->carries && !call->exchange->may_carry);
}

/* ON_STORAGE only if that is another server's. */
static enum route_place place_of(const struct call *call)
{
    const enum route_place place = call->route->place;

    return place == ON_STORAGE && !registry_has_remote_blobs(call->api->config.registry) ? ON_WORKER
                                                                                         : place;
}

/* The steps that are done are not done again there. */
static enum http_step step_there(struct call *call, enum error_code code)
{
    const bool hashes = code && call->hashes;
    enum route_place place = place_of(call);

    if (code) {
        place = call->carries ? ON_STORAGE : ON_WAITER;
    }
    call->waits = false;
    call->hashes = false;
    call->carries = false;
    call->challenge_error = NULL;
    if (hashes) {
        return HTTP_HASHES;
    }
    if (place == ON_WAITER) {
        return HTTP_WAITS;
    }
    return place == ON_STORAGE ? HTTP_CARRIES : HTTP_BLOCKS;
}

/*
 * The answer is known. What the call holds is given back before it is sent: the client's next
 * request may be here, on another connection, before this one is finished.
 */
static enum http_step conclude(struct call *call, enum error_code code, const struct error *err)
{
    if (code) {
        errors_answer(call, code, err);
    }
    upload_close(call->upload);
    call->upload = NULL;
    collected_body_release(call);
    return HTTP_ANSWER;
}

static struct str client_address(void *context, struct http_exchange *exchange)
{
    return origin_client_address(call_of(context, exchange));
}

static struct call *call_of(struct api *api, struct http_exchange *exchange)
{
    return exchange->call ? exchange->call : new_call(api, exchange);
}

static struct call *new_call(struct api *api, struct http_exchange *exchange)
{
    struct call *call = memory_new(1, sizeof(*call));
    const unsigned long number =
        atomic_fetch_add_explicit(&api->next_number, 1, memory_order_relaxed);

    call->api = api;
    call->exchange = exchange;
    (void)snprintf(call->request_id, sizeof(call->request_id), "%s-%lx", api->id_prefix, number);
    strbuf_init(&call->body, api->config.manifest_max_bytes);
    strbuf_init(&call->answer, ANSWER_MAX_BYTES);
    exchange->call = call;
    http_response_add(&exchange->response, "X-Request-Id", str_from(call->request_id));
    call_add_version(call);
    return call;
}

/* Finds the row of the table; a second time (now on a worker) it is there already. */
static enum error_code route(struct call *call, struct error *err)
{
    const struct http_request *request = &call->exchange->request;
    struct route_match match;

    if (call->route) {
        return OK;
    }
    match = routes_find(request->method, request->path);
    if (!match.route) {
        return no_such_route(call, match.is_known_path, err);
    }
    call->route = match.route;
    call->name = match.name;
    call->reference = match.reference;
    return refuse_foreign(call, err);
}

/* A page of another site may make its reader's browser, with its credentials or from an address
 * that is trusted, send what needs no question first: forms above all. */
static enum error_code refuse_foreign(const struct call *call, struct error *err)
{
    const enum http_method method = call->exchange->request.method;

    return method == HTTP_GET || method == HTTP_HEAD || !origin_is_foreign(call)
               ? OK
               : error_set(err, ERROR_DENIED, "a page of another site may change nothing here");
}

static enum error_code no_such_route(struct call *call, bool is_known_path, struct error *err)
{
    const struct http_request *request = &call->exchange->request;
    struct strbuf allowed;

    if (!is_known_path) {
        return error_set(err, ERROR_NOT_FOUND, "there is nothing here: see /v2/ and /openapi.json");
    }
    strbuf_init(&allowed, ALLOW_MAX_BYTES);
    routes_append_allowed(request->path, &allowed);
    http_response_add(&call->exchange->response, "Allow", strbuf_str(&allowed));
    strbuf_release(&allowed);
    return error_set(err, ERROR_UNSUPPORTED, "%.*s is not supported here",
                     STR_FORMAT(str_slice(request->method_name, 0, 32)));
}

static enum error_code authorize(struct call *call, struct error *err)
{
    enum error_code code = OK;

    if (call->is_authorized) {
        return OK;
    }
    code = parse_path(call, err);
    if (!code) {
        code = permission_check(call, err);
    }
    call->is_authorized = !code;
    return code;
}

static enum error_code parse_path(struct call *call, struct error *err)
{
    struct arena *arena = &call->exchange->arena;
    char *decoded = NULL;

    if (call->is_parsed) {
        return OK;
    }
    call->is_parsed = true;
    if (call->reference.length > 0) {
        decoded = arena_new(arena, call->reference.length + 1, 1);
        if (!decoded ||
            !http_percent_decode(call->reference, decoded, call->reference.length + 1)) {
            return error_set(err, ERROR_INVALID, "the path is not well encoded");
        }
        call->reference = str_from(decoded);
    }
    if (team_path_is(call)) {
        return team_path_parse(call, err);
    }
    return call->name.length > 0 ? call_parse_repository(call, err) : OK;
}

static enum http_step data(void *context, struct http_exchange *exchange, struct str bytes)
{
    struct call *call = exchange->call;
    const struct handler *handler = call->route->handler;
    struct error err = {0};
    const enum error_code code =
        handler->data ? handler->data(call, bytes, &err) : collected_body_append(call, bytes, &err);

    (void)context;
    if (!code) {
        return HTTP_BODY;
    }
    return conclude(call, code, &err);
}

/* Uploads to other servers, and what is collected, have to wait for memory. */
static size_t room(void *context, struct http_exchange *exchange)
{
    const struct api *api = context;
    struct call *call = exchange->call;

    if (!call->route->handler->data) {
        return collected_body_room(call);
    }
    return call->upload && registry_has_remote_blobs(api->config.registry)
               ? upload_room(call->upload)
               : SIZE_MAX;
}

static enum http_step end(void *context, struct http_exchange *exchange)
{
    struct call *call = exchange->call;
    struct error err = {0};
    const enum error_code code = call->route->handler->end(call, &err);

    (void)context;
    if (code && call->queues) {
        return HTTP_LATER;
    }
    if (code && is_unfinished(call)) {
        return step_there(call, code);
    }
    return conclude(call, code, &err);
}

static void refuse(void *context, struct http_exchange *exchange,
                   const struct http_refusal *refusal)
{
    struct call *call = call_of(context, exchange);

    collected_body_release(call);
    errors_answer_status(call, refusal->status, errors_code_of_status(refusal->status),
                         refusal->message);
}

static void finish(void *context, struct http_exchange *exchange, bool is_sent)
{
    struct call *call = exchange->call;

    (void)context;
    if (call->upload && exchange->may_block && call->route->handler->abandon) {
        call->route->handler->abandon(call);
    }
    upload_close(call->upload);
    login_leave_queue(call);
    request_log_write(call, is_sent);
    collected_body_release(call);
    strbuf_release(&call->answer);
    credentials_release(&call->credentials);
    identity_release(call->identity);
    content_release(call->content);
    free(call);
    exchange->call = NULL;
}
