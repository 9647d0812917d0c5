#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
static enum error_code route(struct call *call, struct error *err);
static enum error_code no_such_route(struct call *call, bool is_known_path, struct error *err);
static enum error_code refuse_foreign(const struct call *call, struct error *err);
static enum error_code recall(struct call *call, struct error *err);
static enum error_code change_thread(struct call *call, struct error *err);
static enum error_code handle(struct call *call, struct error *err);
static uint64_t largest_body(const struct call *call);
static struct call *call_of(struct api *api, struct http_exchange *exchange);
static struct call *new_call(struct api *api, struct http_exchange *exchange);
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

/*
 * The life of a request. The first step that fails is the answer; one that needs another thread is
 * taken again there, and those before it are not. What is recorded of it in the end: see finish.
 */
static enum error_code (*const steps[])(struct call *call, struct error *err) = {
    route,              /* which row of the table is it for? */
    login_authenticate, /* who asks? */
    call_read_path,     /* what is it about? */
    permission_check,   /* may they? */
    recall,             /* is the answer known, so that nobody has to be woken for it? */
    change_thread,      /* where can it be done? */
    handle,
};

static enum http_step begin(void *context, struct http_exchange *exchange)
{
    struct call *call = call_of(context, exchange);
    struct error err = {0};
    enum error_code code = OK;

    exchange->needed = HTTP_LOOP;
    while (!code && call->steps_done < ARRAY_LEN(steps) && exchange->response.status == 0) {
        code = steps[call->steps_done](call, &err);
        call->steps_done += code ? 0 : 1;
    }
    if (code && call_moves(call)) {
        return HTTP_MOVE;
    }
    return !code && call->wants_body ? HTTP_BODY : conclude(call, code, &err);
}

/* Finds the row of the table. */
static enum error_code route(struct call *call, struct error *err)
{
    const struct http_request *request = &call->exchange->request;
    const struct route_match match = routes_find(request->method, request->path);

    assert(!call->route);
    if (!match.route) {
        return no_such_route(call, match.is_known_path, err);
    }
    call->route = match.route;
    memcpy(call->path, match.parameters, sizeof(call->path));
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

/* Where files can be read nobody would have to be woken. */
static enum error_code recall(struct call *call, struct error *err)
{
    const struct handler *handler = call->route->handler;

    (void)err;
    if (handler->recall && !http_thread_suits(call->exchange->thread, HTTP_WORKER)) {
        (void)handler->recall(call);
    }
    return OK;
}

static enum error_code change_thread(struct call *call, struct error *err)
{
    return call_need(call, call->route->thread, err);
}

static enum error_code handle(struct call *call, struct error *err)
{
    enum error_code code = OK;

    assert(call->route->access != ACCESS_NOBODY);
    assert(http_thread_suits(call->exchange->thread, call->exchange->needed));
    code = call->route->handler->begin(call, &call->wants_body, err);
    assert(code || call->wants_body || call->exchange->response.status > 0);
    if (!code && call->wants_body) {
        call->exchange->body_max_bytes = largest_body(call);
    }
    return code;
}

static uint64_t largest_body(const struct call *call)
{
    if (call->upload) {
        return upload_allowed_bytes(call->upload);
    }
    return call->route->handler->data ? UINT64_MAX : call->body.limit_bytes;
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
    return HTTP_RESPOND;
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
    enum error_code code = OK;

    (void)context;
    exchange->needed = HTTP_LOOP;
    code = call->route->handler->end(call, &err);
    if (code && call->queues) {
        return HTTP_LATER;
    }
    if (code && call_moves(call)) {
        return HTTP_MOVE;
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
    if (call->upload && exchange->thread != HTTP_LOOP && call->route->handler->abandon) {
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
