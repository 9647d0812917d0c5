#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/call.h"
#include "api/collected_body.h"
#include "api/errors.h"
#include "api/login.h"
#include "api/origin.h"
#include "api/permission.h"
#include "api/routes.h"
#include "base/memory.h"
#include "base/random.h"
#include "registry/blobs.h"

/*
 * The life of a request. Its steps stand in their order, each with what must be true before and
 * behind it, above the table that serve_begin walks through: find_route to handle. What becomes of
 * the body is below, and serve_finish, which records; api_application gives all of it to the HTTP
 * server.
 */

enum {
    LOGGED_PATH_BYTES = 1024,
    LOGGED_ADDRESS_BYTES = 64,
    LOGGED_AGENT_BYTES = 256,
    LOGGED_GRANTED_BYTES = 1024,
};

static enum error_code no_such_route(struct call *call, bool is_known_path, struct error *err)
{
    const struct http_request *request = &call->exchange->request;

    if (!is_known_path) {
        return error_set(err, ERROR_NOT_FOUND, "there is nothing here: see /v2/ and /openapi.json");
    }
    call_add_allowed(call);
    return error_set(err, ERROR_UNSUPPORTED, "%.*s is not supported here",
                     STR_FORMAT(str_slice(request->method_name, 0, 32)));
}

/* A page of another site may make its reader's browser, with its credentials or from an address
 * that is trusted, send what needs no question first: forms above all. */
static enum error_code serve_refuse_foreign(const struct call *call, struct error *err)
{
    const enum http_method method = call->exchange->request.method;

    return method == HTTP_GET || method == HTTP_HEAD || !origin_is_foreign(call)
               ? OK
               : error_set(err, ERROR_DENIED, "a page of another site may change nothing here");
}

static uint64_t largest_body(const struct call *call)
{
    if (call->upload) {
        return upload_allowed_bytes(call->upload);
    }
    return call->route->handler->data ? UINT64_MAX : call->body.limit_bytes;
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
    strbuf_init(&call->written, RESPONSE_MAX_BYTES);
    exchange->call = call;
    http_response_add(&exchange->response, "X-Request-Id", str_from(call->request_id));
    call_add_version(call);
    return call;
}

static struct call *call_of(struct api *api, struct http_exchange *exchange)
{
    return exchange->call ? exchange->call : new_call(api, exchange);
}

/*
 * The response is known. What the call holds is given back before it is sent: the client's next
 * request may be here, on another connection, before this one is finished.
 */
static enum http_step serve_conclude(struct call *call, enum error_code code,
                                     const struct error *err)
{
    if (code) {
        errors_respond(call, code, err);
    }
    upload_close(call->upload);
    call->upload = NULL;
    collected_body_release(call);
    return HTTP_RESPOND;
}

static enum error_code find_route(struct call *call, struct error *err)
{
    const struct http_request *request = &call->exchange->request;
    const struct route_match match = routes_find(request->method, request->path);

    assert(!call->route);
    if (!match.route) {
        return no_such_route(call, match.is_known_path, err);
    }
    call->route = match.route;
    memcpy(call->path, match.parameters, sizeof(call->path));
    return serve_refuse_foreign(call, err);
}

static enum error_code authenticate(struct call *call, struct error *err)
{
    const enum access access = call->route->access;
    enum error_code code = OK;

    assert(!call->identity);
    code = login_authenticate(call, err);
    /* Nobody is known only where nobody has to be, or where somebody is asked for later: a form has
     * credentials of its own, and an upload knows who began it. */
    assert(code || call->identity || !call->api->config.authenticator || access == ACCESS_PUBLIC ||
           access == ACCESS_TOKEN || call->has_expired);
    return code;
}

static enum error_code read_path(struct call *call, struct error *err)
{
    const enum error_code code = call_read_path(call, err);
    const bool names_one = call->path[PATH_NAME].length > 0 || call->path[PATH_ARTIFACT].length > 0;

    assert(code || (call->repository.name.length > 0) == names_one);
    return code;
}

static enum error_code authorize(struct call *call, struct error *err)
{
    const enum error_code code = permission_check(call, err);

    assert(code || call->route->access != ACCESS_NOBODY);
    return code;
}

static enum error_code refuse_writing(struct call *call, struct error *err)
{
    const char *const reason = call->api->config.read_only;

    return reason && route_writes(call->route)
               ? error_set_about(err, ABOUT_READING, ERROR_DENIED,
                                 "nothing can be pushed at the moment, only pulled: %s", reason)
               : OK;
}

/* Where files can be read, nobody would have to be woken. */
static enum error_code recall_response(struct call *call, struct error *err)
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

    assert(call->exchange->response.status == 0);
    assert(http_thread_suits(call->exchange->thread, call->exchange->needed));
    code = call->route->handler->begin(call, err);
    assert(code || call->wants_body || call->exchange->response.status > 0);
    if (!code && call->wants_body) {
        call->exchange->body_max_bytes = largest_body(call);
    }
    return code;
}

/* The first step that fails is the response; one that needs another thread is taken again there,
 * and those before it are not. */
static enum error_code (*const steps[])(struct call *call, struct error *err) = {
    find_route,      /* which row of the table is it for? */
    authenticate,    /* who asks? */
    read_path,       /* what is it about? */
    authorize,       /* may they? */
    refuse_writing,  /* may anybody, for now? */
    recall_response, /* is it known already, so that nobody has to be woken for it? */
    change_thread,   /* where can it be done? */
    handle,          /* what is asked for; serve_finish records it */
};

static enum http_step serve_begin(void *context, struct http_exchange *exchange)
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
    return !code && call->wants_body ? HTTP_BODY : serve_conclude(call, code, &err);
}

static enum http_step serve_data(void *context, struct http_exchange *exchange, struct str bytes)
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
    return serve_conclude(call, code, &err);
}

/* Uploads to other servers, and what is collected, have to wait for memory. */
static size_t serve_room(void *context, struct http_exchange *exchange)
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

static enum http_step serve_end(void *context, struct http_exchange *exchange)
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
    return serve_conclude(call, code, &err);
}

static void serve_refuse(void *context, struct http_exchange *exchange,
                         const struct http_refusal *refusal)
{
    struct call *call = call_of(context, exchange);

    collected_body_release(call);
    errors_respond_status(call, refusal->status, errors_code_of_status(refusal->status),
                          refusal->message);
}

/* Whoever types a password where the name goes does not want to find it in a log: only names that
 * there are stand there. */
static struct str tried_name(const struct call *call)
{
    const struct str name = call->credentials.name;

    return authenticator_knows_name(call->api->config.authenticator, name) ? name
                                                                           : str_from("(unknown)");
}

/* The line that the log has of each request: what was asked and answered, by and for whom. */
static void record(const struct call *call, bool is_sent)
{
    const struct http_exchange *exchange = call->exchange;
    const struct http_request *request = &exchange->request;
    const int status = exchange->response.status;
    const enum log_level level = status >= 500 ? LOG_ERROR : LOG_INFO;
    struct log_line line;

    log_begin(&line, call->api->config.log, level, "request");
    log_text(&line, "method", str_slice(request->method_name, 0, 32));
    log_text(&line, "path", str_slice(routes_shown_path(request->path), 0, LOGGED_PATH_BYTES));
    log_number(&line, "status", status);
    log_number(&line, "bytes", (int64_t)exchange->sent_bytes);
    log_number(&line, "received", (int64_t)exchange->received_bytes);
    log_number(&line, "microseconds", clock_elapsed_us() - exchange->begin_us);
    log_text(&line, "user", call->user);
    log_text(&line, "request_id", str_from(call->request_id));
    log_text(&line, "peer", exchange->peer_address);
    log_text(&line, "client", str_slice(origin_client_address(call), 0, LOGGED_ADDRESS_BYTES));
    log_text(&line, "agent",
             str_slice(http_request_header(request, "User-Agent"), 0, LOGGED_AGENT_BYTES));
    if (!is_sent) {
        log_text(&line, "outcome", str_from("client_gone"));
    }
    if (call->credentials.kind == CREDENTIALS_PASSWORD && !call->identity) {
        log_text(&line, "tried", tried_name(call));
    }
    if (call->failure) {
        log_text(&line, "failure", str_from(call->failure));
    }
    if (call->granted) {
        log_text(&line, "granted", str_slice(str_from(call->granted), 0, LOGGED_GRANTED_BYTES));
    }
    log_end(&line);
}

static void serve_finish(void *context, struct http_exchange *exchange, bool is_sent)
{
    struct call *call = exchange->call;

    (void)context;
    if (call->upload && exchange->thread != HTTP_LOOP && call->route->handler->abandon) {
        call->route->handler->abandon(call);
    }
    upload_close(call->upload);
    login_leave_queue(call);
    record(call, is_sent);
    collected_body_release(call);
    strbuf_release(&call->written);
    credentials_release(&call->credentials);
    identity_release(call->identity);
    content_release(call->content);
    free(call);
    exchange->call = NULL;
}

static struct str serve_client_address(void *context, struct http_exchange *exchange)
{
    return origin_client_address(call_of(context, exchange));
}

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
        .begin = serve_begin,
        .data = serve_data,
        .room = serve_room,
        .end = serve_end,
        .refuse = serve_refuse,
        .finish = serve_finish,
        .is_proxy = origin_is_proxy,
        .client_address = serve_client_address,
        .leave = login_forget,
    };
}
