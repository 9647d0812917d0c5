#include "api/request_log.h"

#include "api/api_private.h"
#include "api/origin.h"
#include "api/routes.h"

enum {
    LOGGED_PATH_BYTES = 1024,
    LOGGED_ADDRESS_BYTES = 64,
    LOGGED_AGENT_BYTES = 256,
    LOGGED_GRANTED_BYTES = 1024,
};

static struct str tried_name(const struct call *call);

void request_log_write(const struct call *call, bool is_sent)
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

/* Whoever types a password where the name goes does not want to find it in a log: only names that
 * there are stand there. */
static struct str tried_name(const struct call *call)
{
    const struct str name = call->credentials.name;

    return authenticator_knows_name(call->api->config.authenticator, name) ? name
                                                                           : str_from("(unknown)");
}
