#include "api/challenge.h"

#include "api/origin.h"
#include "api/routes.h"

enum { CHALLENGE_MAX_BYTES = 2048 };

static void append_bearer(struct call *call, struct strbuf *buf);
static void append_scope(struct call *call, struct strbuf *buf);
static bool names_repository(struct call *call);

void challenge_add(struct call *call)
{
    struct strbuf challenge;

    strbuf_init(&challenge, CHALLENGE_MAX_BYTES);
    if (call->route && call->route->access == ACCESS_TOKEN) {
        strbuf_append_text(&challenge, "Basic realm=\"pierone\", charset=\"UTF-8\"");
    } else {
        append_bearer(call, &challenge);
    }
    http_response_add(&call->exchange->response, "WWW-Authenticate", strbuf_str(&challenge));
    strbuf_release(&challenge);
}

/* Without spaces between the parameters: some clients' parsers want none. */
static void append_bearer(struct call *call, struct strbuf *buf)
{
    const struct str url = origin_url(call);

    strbuf_append_format(buf, "Bearer realm=\"%.*s" TOKEN_PATH "\",service=\"%.*s\"",
                         STR_FORMAT(url), STR_FORMAT(origin_service(call)));
    append_scope(call, buf);
    if (call->challenge_error) {
        strbuf_append_format(buf, ",error=\"%s\"", call->challenge_error);
    }
    if (call->challenge_description) { /* what docker shows, instead of the body */
        strbuf_append_format(buf, ",error_description=\"%s\"", call->challenge_description);
    }
}

static void append_scope(struct call *call, struct strbuf *buf)
{
    const enum access access = call->route ? call->route->access : ACCESS_NOBODY;

    if (access == ACCESS_CATALOG) {
        strbuf_append_text(buf, ",scope=\"registry:catalog:*\"");
        return;
    }
    if (!names_repository(call)) {
        return;
    }
    strbuf_append_format(buf, ",scope=\"repository:%.*s:%s\"", STR_FORMAT(call->repository.name),
                         access == ACCESS_PULL ? "pull" : "pull,push");
}

/* Whoever is not known is told before the path is looked at. */
static bool names_repository(struct call *call)
{
    if (call->repository.name.length == 0) {
        (void)!call_read_path(call, NULL);
    }
    return call->repository.name.length > 0;
}
