#include "api/api_private.h"
#include "api/errors.h"
#include "api/handlers.h"
#include "api/routes.h"

static enum error_code answer_base(struct call *call, bool *wants_body_out, struct error *err);
static enum error_code answer_health(struct call *call, bool *wants_body_out, struct error *err);
static enum error_code answer_ready(struct call *call, bool *wants_body_out, struct error *err);
static enum error_code answer_immutable(struct call *call, bool *wants_body_out, struct error *err);

const struct handler base_handler = {.begin = answer_base};
const struct handler health_handler = {.begin = answer_health};
const struct handler ready_handler = {.begin = answer_ready};
const struct handler immutable_handler = {.begin = answer_immutable};

static enum error_code answer_base(struct call *call, bool *wants_body_out, struct error *err)
{
    (void)wants_body_out;
    (void)err;
    call_answer_body(call, 200, "application/json", str_from("{}"));
    return OK;
}

static enum error_code answer_health(struct call *call, bool *wants_body_out, struct error *err)
{
    (void)wants_body_out;
    (void)err;
    call_answer_body(call, 200, "application/json", str_from("{\"health\": true}"));
    return OK;
}

static enum error_code answer_ready(struct call *call, bool *wants_body_out, struct error *err)
{
    const struct api_config *config = &call->api->config;

    (void)wants_body_out;
    (void)err;
    if (config->is_ready && !config->is_ready(config->is_ready_context)) {
        errors_answer_status(call, 503, errors_code_of_status(503), "the server is shutting down");
    } else {
        call_answer_body(call, 200, "application/json", str_from("{\"ready\": true}"));
    }
    return OK;
}

static enum error_code answer_immutable(struct call *call, bool *wants_body_out, struct error *err)
{
    struct strbuf allowed;

    (void)wants_body_out;
    strbuf_init(&allowed, 64);
    routes_append_allowed(call->exchange->request.path, &allowed);
    http_response_add(&call->exchange->response, "Allow", strbuf_str(&allowed));
    strbuf_release(&allowed);
    return error_set(err, ERROR_UNSUPPORTED,
                     "nothing that was pushed is ever deleted: tags, manifests and blobs are "
                     "immutable");
}
