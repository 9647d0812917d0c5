#include "api/call.h"
#include "api/errors.h"
#include "api/origin.h"
#include "api/routes.h"
#include "base/json_writer.h"

/* src/api/openapi.json, embedded by the build */
extern const char openapi_document[];
extern const size_t openapi_document_length;

static enum error_code respond_base(struct call *call, struct error *err)
{
    (void)err;
    call_respond_body(call, 200, "application/json", str_from("{}"));
    return OK;
}

static enum error_code respond_health(struct call *call, struct error *err)
{
    (void)err;
    call_respond_body(call, 200, "application/json", str_from("{\"health\": true}"));
    return OK;
}

static enum error_code respond_ready(struct call *call, struct error *err)
{
    const struct api_config *config = &call->api->config;

    (void)err;
    if (config->is_ready && !config->is_ready(config->is_ready_context)) {
        errors_respond_status(call, 503, errors_code_of_status(503), "the server is shutting down");
    } else {
        call_respond_body(call, 200, "application/json", str_from("{\"ready\": true}"));
    }
    return OK;
}

static enum error_code respond_immutable(struct call *call, struct error *err)
{
    call_add_allowed(call);
    return error_set(err, ERROR_UNSUPPORTED,
                     "nothing that was pushed is ever deleted: tags, manifests and blobs are "
                     "immutable");
}

static struct str host_of_url(struct str url)
{
    static const char mark[] = "://";

    for (size_t i = 0; i < url.length; i++) {
        if (str_starts_with(str_from_index(url, i), mark)) {
            return str_from_index(url, i + sizeof(mark) - 1);
        }
    }
    return url;
}

static void write_methods(struct json_writer *writer, const struct api_login *login)
{
    json_writer_begin_array(writer);
    if (login->takes_tokens) {
        json_writer_string(writer, str_from("oauth2"));
    }
    if (login->takes_passwords) {
        json_writer_string(writer, str_from("password"));
    }
    json_writer_end_array(writer);
}

static void write_text_or_null(struct json_writer *writer, const char *name, const char *text)
{
    json_writer_name(writer, name);
    if (text) {
        json_writer_string(writer, str_from(text));
    } else {
        json_writer_null(writer);
    }
}

static void write_words(struct json_writer *writer, const char *words)
{
    struct str rest = str_from(words);
    struct str word;

    json_writer_begin_array(writer);
    while (str_cut(&rest, ' ', &word)) {
        if (word.length > 0) {
            json_writer_string(writer, word);
        }
    }
    json_writer_end_array(writer);
}

/* What a client needs to know before it can log in. */
static enum error_code tell_client(struct call *call, struct error *err)
{
    const struct api_login *login = &call->api->config.login;
    struct json_writer writer;

    json_writer_init(&writer, &call->written);
    json_writer_begin_object(&writer);
    json_writer_member(&writer, "registry", host_of_url(origin_url(call)));
    json_writer_member(&writer, "version", str_from(login->version));
    json_writer_name(&writer, "methods");
    write_methods(&writer, login);
    write_text_or_null(&writer, "issuer", login->settings.issuer);
    write_text_or_null(&writer, "client_id",
                       login->settings.issuer ? login->settings.client_id : NULL);
    json_writer_name(&writer, "scopes");
    write_words(&writer, login->settings.issuer ? login->settings.scopes : NULL);
    json_writer_member_uint64(&writer, "redirect_port", login->settings.redirect_port);
    json_writer_end_object(&writer);
    return call_respond_json(call, err);
}

static enum error_code tell_name(struct call *call, struct error *err)
{
    const enum identity_kind kind = call->identity ? call->identity->kind : IDENTITY_ANONYMOUS;
    struct json_writer writer;

    json_writer_init(&writer, &call->written);
    json_writer_begin_object(&writer);
    json_writer_member(&writer, "name", call->user);
    json_writer_member(&writer, "kind", str_from(identity_kind_name(kind)));
    json_writer_end_object(&writer);
    return call_respond_json(call, err);
}

static enum error_code respond_openapi(struct call *call, struct error *err)
{
    (void)err;
    call_respond_body(call, 200, "application/json",
                      (struct str){openapi_document, openapi_document_length});
    return OK;
}

const struct handler base_handler = {.begin = respond_base};
const struct handler health_handler = {.begin = respond_health};
const struct handler ready_handler = {.begin = respond_ready};
const struct handler immutable_handler = {.begin = respond_immutable};
const struct handler client_handler = {.begin = tell_client};
const struct handler whoami_handler = {.begin = tell_name};
const struct handler openapi_handler = {.begin = respond_openapi};
