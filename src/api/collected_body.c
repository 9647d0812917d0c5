#include "api/collected_body.h"

#include <assert.h>
#include <stdint.h>

#include "api/call.h"
#include "api/login.h"
#include "api/origin.h"
#include "base/host.h"

enum {
    PATIENCE_MS = 30 * 1000,    /* as uploads that wait for memory */
    ARRIVAL_MS = 20 * 1000,     /* a body has so long, … */
    ARRIVAL_BYTES_PER_MS = 128, /* … and a second for each 128 KB */
};

void body_memory_init(struct body_memory *memory, size_t largest_bytes)
{
    const size_t enough = BODY_OWNERS * largest_bytes;

    memory->limit_bytes = enough > BODY_MEMORY_BYTES ? enough : BODY_MEMORY_BYTES;
    memory->left_bytes = memory->limit_bytes;
    (void)pthread_mutex_init(&memory->mutex, NULL);
    list_init(&memory->holders);
}

void body_memory_release(struct body_memory *memory)
{
    assert(memory->left_bytes == memory->limit_bytes);
    (void)pthread_mutex_destroy(&memory->mutex);
}

static size_t held_by(const struct body_memory *memory, struct str owner)
{
    size_t bytes = 0;

    for (const struct list_node *node = memory->holders.next; node != &memory->holders;
         node = node->next) {
        const struct body_share *share = (const struct body_share *)(const void *)node;

        bytes += str_equal(share->owner, owner) ? share->bytes : 0;
    }
    return bytes;
}

bool body_memory_take(struct body_memory *memory, struct body_share *share, size_t bytes)
{
    const size_t share_bytes = memory->limit_bytes / BODY_OWNERS;
    const size_t more = bytes > share->bytes ? bytes - share->bytes : 0;
    const size_t reserve = bytes > BODY_SMALL_BYTES ? share_bytes : 0;
    bool is_taken = more == 0;

    if (is_taken) {
        return true;
    }
    (void)pthread_mutex_lock(&memory->mutex);
    if (memory->left_bytes >= more + reserve &&
        held_by(memory, share->owner) + more <= share_bytes) {
        if (share->bytes == 0) {
            list_init(&share->node);
            list_append(&memory->holders, &share->node);
        }
        memory->left_bytes -= more;
        share->bytes = bytes;
        is_taken = true;
    }
    (void)pthread_mutex_unlock(&memory->mutex);
    return is_taken;
}

void body_memory_give(struct body_memory *memory, struct body_share *share)
{
    if (share->bytes == 0) {
        return;
    }
    (void)pthread_mutex_lock(&memory->mutex);
    list_remove(&share->node);
    memory->left_bytes += share->bytes;
    share->bytes = 0;
    (void)pthread_mutex_unlock(&memory->mutex);
}

/* What it needs before more of it may come. One in chunks is taken for a small one at first. */
static size_t bytes_needed(const struct call *call)
{
    const struct http_request *request = &call->exchange->request;
    const size_t limit_bytes = call->body.limit_bytes;
    uint64_t bytes = call->body.length < BODY_SMALL_BYTES ? BODY_SMALL_BYTES : limit_bytes;

    if (request->framing == HTTP_SIZED_BODY) {
        bytes = request->content_length;
    }
    return bytes < limit_bytes ? (size_t)bytes : limit_bytes;
}

/* Whoever is known, wherever they come from; others by where they come from. */
static struct str owner_of(struct call *call)
{
    struct in6_addr *address = NULL;

    if (call->identity && call->identity->kind != IDENTITY_ANONYMOUS) {
        return login_owner(call);
    }
    address = arena_new(&call->exchange->arena, 1, sizeof(*address));
    if (!address) {
        return call->exchange->peer_address;
    }
    *address = host_address_owner(origin_client_address(call));
    return (struct str){(const char *)address, sizeof(*address)};
}

static bool need(struct call *call, size_t bytes)
{
    struct body_share *share = &call->share;
    const int64_t arrival_ms = ARRIVAL_MS + (int64_t)(bytes / ARRIVAL_BYTES_PER_MS);

    if (share->bytes >= bytes) {
        return true;
    }
    if (!share->owner.bytes) {
        share->owner = owner_of(call);
    }
    if (!body_memory_take(&call->api->bodies, share, bytes)) {
        return false;
    }
    call->exchange->body_until_ms = clock_monotonic_ms(call->api->config.clock) + arrival_ms;
    return true;
}

static bool is_patient(struct call *call)
{
    const int64_t now_ms = clock_monotonic_ms(call->api->config.clock);

    if (call->asked_ms == 0) {
        call->asked_ms = now_ms;
    }
    return now_ms - call->asked_ms < PATIENCE_MS;
}

size_t collected_body_room(struct call *call)
{
    const bool is_in_chunks = call->exchange->request.framing != HTTP_SIZED_BODY;
    const size_t bytes = bytes_needed(call);

    if (!need(call, bytes) && is_patient(call)) {
        return 0;
    }
    return is_in_chunks && bytes < call->body.limit_bytes && call->share.bytes == bytes
               ? bytes - call->body.length
               : SIZE_MAX;
}

enum error_code collected_body_append(struct call *call, struct str bytes, struct error *err)
{
    if (!need(call, call->body.length + bytes.length)) {
        return error_set(err, ERROR_UNAVAILABLE,
                         "too many bodies are being received; try again later");
    }
    strbuf_append(&call->body, bytes);
    return call->body.is_truncated
               ? error_set(err, ERROR_TOO_LARGE, "the body is limited to %zu bytes here",
                           call->body.limit_bytes)
               : OK;
}

void collected_body_release(struct call *call)
{
    strbuf_release(&call->body);
    body_memory_give(&call->api->bodies, &call->share);
}
