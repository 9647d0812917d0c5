#include "api/api_private.h"
#include "api/handlers.h"
#include "api/upload_handlers.h"

enum { END_PATIENCE_MS = 2 * 60 * 1000 }; /* as long as a request waits for the one ahead */

static enum error_code begin_put(struct call *call, bool *wants_body_out, struct error *err);
static enum error_code open_to_end(struct call *call, struct error *err);
static enum error_code write_last(struct call *call, struct str bytes, struct error *err);
static enum error_code end_put(struct call *call, struct error *err);
static enum error_code await_end(struct call *call, struct error *err);
static enum error_code begin_delete(struct call *call, bool *wants_body_out, struct error *err);
static enum error_code ignore_body(struct call *call, struct str bytes, struct error *err);
static enum error_code end_delete(struct call *call, struct error *err);

const struct handler upload_put_handler = {.begin = begin_put, .data = write_last, .end = end_put};
const struct handler upload_delete_handler = {
    .begin = begin_delete, .data = ignore_body, .end = end_delete};

static enum error_code begin_put(struct call *call, bool *wants_body_out, struct error *err)
{
    struct str digest = {0};
    enum error_code code = call_parameter(call, "digest", ABOUT_DIGEST, &digest, err);

    if (!code && !digest.bytes) {
        code = error_set_about(err, ABOUT_DIGEST, ERROR_INVALID,
                               "the query parameter digest is missing: that of the whole blob");
    }
    if (!code) {
        code = digest_parse(digest, &call->digest, err);
    }
    if (!code) {
        code = open_to_end(call, err);
    }
    if (!code && call->upload) {
        code = call_check_range(call, err);
    }
    *wants_body_out = !code;
    return code;
}

/*
 * Opens an upload for its last request. Clients whose answer was lost send that again: when it was
 * done it is answered once more, and while it is being done it waits for the first.
 */
static enum error_code open_to_end(struct call *call, struct error *err)
{
    struct registry *registry = call->api->config.registry;
    const bool becomes_blob = call->exchange->request.method == HTTP_PUT;
    char fingerprint[LOGIN_FINGERPRINT_BYTES];
    const struct upload_key key = call_upload_key(call, fingerprint);
    enum error_code code = upload_open(registry, &key, &call->upload, err);

    call->awaits_end =
        code == ERROR_CONFLICT && !registry_upload_is_going_on(registry, call->path[PATH_UPLOAD]);
    if (code == ERROR_NOT_FOUND) {
        code = registry_find_ended_upload(registry, &key, becomes_blob ? &call->digest : NULL, err);
        call->is_repeated = !code;
    }
    return call->awaits_end ? OK : code;
}

/* Bytes of a request that was done before, or comes second, are not needed. */
static enum error_code write_last(struct call *call, struct str bytes, struct error *err)
{
    enum error_code code = call->upload ? upload_write(call->upload, bytes, err) : OK;

    if (code == ERROR_NOT_FOUND && upload_has_become(call->upload, &call->digest)) {
        upload_close(call->upload);
        call->upload = NULL;
        call->is_repeated = true;
        code = OK;
    }
    return code;
}

static enum error_code end_put(struct call *call, struct error *err)
{
    enum error_code code = OK;

    call->queues = false;
    code = await_end(call, err);
    if (!code) {
        code = call_check_promise(call, err);
    }
    if (!code && !call->is_repeated && !upload_may_commit(call->upload, &call->digest)) {
        call->queues = true;
        return error_set(err, ERROR_UNAVAILABLE, "others' uploads are hashed again");
    }
    if (!code && !call->is_repeated) {
        code = upload_commit(call->upload, &call->digest, err);
    }
    if (!code) {
        call_answer_created(call, &call->digest);
    }
    return code;
}

/* Tries again what another request was ahead with; parked, the call holds no thread. */
static enum error_code await_end(struct call *call, struct error *err)
{
    const int64_t now_ms = clock_monotonic_ms(call->api->config.clock);
    enum error_code code = OK;

    if (!call->awaits_end) {
        return OK;
    }
    if (call->awaits_until_ms == 0) {
        call->awaits_until_ms = now_ms + END_PATIENCE_MS;
    }
    code = open_to_end(call, err);
    call->queues = call->awaits_end && now_ms < call->awaits_until_ms;
    if (!code && (call->awaits_end || (call->upload && call->exchange->received_bytes > 0))) {
        return error_set_about(err, ABOUT_UPLOAD, ERROR_CONFLICT,
                               "another request was working on this upload: send this one again");
    }
    return code;
}

static enum error_code begin_delete(struct call *call, bool *wants_body_out, struct error *err)
{
    const enum error_code code = open_to_end(call, err);

    *wants_body_out = !code;
    return code;
}

static enum error_code ignore_body(struct call *call, struct str bytes, struct error *err)
{
    (void)call;
    (void)bytes;
    (void)err;
    return OK;
}

static enum error_code end_delete(struct call *call, struct error *err)
{
    enum error_code code = await_end(call, err);

    if (!code && !call->is_repeated) {
        code = upload_cancel(call->upload, err);
    }
    if (!code) {
        call_answer(call, 204);
    }
    return code;
}
