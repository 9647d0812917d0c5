#include "http/framing.h"

#include <assert.h>
#include <string.h>

void framing_release(struct framing *framing)
{
    input_release(&framing->input);
    input_release(&framing->ahead);
}

bool framing_is_empty(const struct framing *framing)
{
    return input_str(&framing->input).length == 0;
}

enum io_result framing_receive_head(struct framing *framing, struct transport *transport,
                                    size_t limit_bytes)
{
    /* One byte more than a head may have: so that one that is too long is seen to be. */
    const size_t capacity = input_reserve(&framing->input, limit_bytes + 1);
    size_t length = 0;
    const enum io_result result =
        transport->driver->read(transport, input_end(&framing->input), capacity, &length);

    if (result != IO_DONE) {
        return result;
    }
    assert(length <= capacity);
    input_extend(&framing->input, length);
    return length == 0 ? IO_CLOSED : IO_DONE;
}

enum http_parse_result framing_parse_head(struct framing *framing,
                                          const struct http_parser_limits *limits,
                                          struct http_request *request,
                                          struct http_refusal *refusal_out)
{
    size_t length = 0;
    const enum http_parse_result result =
        http_parse_request(input_str(&framing->input), limits, request, &length, refusal_out);

    if (result == HTTP_PARSE_DONE) {
        input_consume(&framing->input, length);
        body_init(&framing->body, request);
        framing->closes = !request->keeps_alive;
    }
    return result;
}

/*
 * The socket's buffer is empty here, as all earlier responses are acknowledged by this very
 * request, or nearly: these few bytes find room.
 */
bool framing_send_continue(struct framing *framing, const struct http_request *request,
                           struct transport *transport)
{
    const struct str interim = STR_LITERAL("HTTP/1.1 100 Continue\r\n\r\n");
    size_t sent = 0;

    if (!request->expects_continue || framing->body.is_complete || !framing_is_empty(framing)) {
        return true;
    }
    return transport->driver->write(transport, interim, (struct str){0}, false, &sent) == IO_DONE &&
           sent == interim.length &&
           (!transport->driver->flush || transport->driver->flush(transport) == IO_DONE);
}

enum io_result framing_receive_body(struct framing *framing, struct transport *transport,
                                    char *memory, size_t capacity, struct str *piece_out)
{
    const uint64_t wanted = body_wanted(&framing->body);
    enum io_result result = IO_DONE;
    size_t length = 0;

    if (framing->body.is_complete || !framing_is_empty(framing)) {
        *piece_out = str_slice(input_str(&framing->input), 0, capacity);
        framing->memory = NULL;
        return IO_DONE;
    }
    result = transport->driver->read(transport, memory,
                                     wanted < capacity ? (size_t)wanted : capacity, &length);
    if (result != IO_DONE) {
        return result;
    }
    assert(length <= capacity);
    *piece_out = (struct str){memory, length};
    framing->memory = memory;
    return length == 0 ? IO_CLOSED : IO_DONE;
}

/* Behind a body's end: what is left of its last piece is the next request's. */
static void keep_ahead(struct framing *framing, struct str *piece)
{
    input_append(&framing->ahead, *piece);
    *piece = (struct str){0};
}

/* Until the piece is used up, or something else than data comes, which the next call tells: maybe
 * there is none, so what is behind the end is kept here. */
static void gather_chunks(struct framing *framing, struct str *piece, struct str *data)
{
    char *end = framing->memory + (data->bytes - framing->memory) + data->length;
    enum chunked_result result = CHUNKED_DATA;
    struct str more = {0};

    assert(data->bytes >= framing->memory);
    while ((result = body_read(&framing->body, piece, &more)) == CHUNKED_DATA) {
        memmove(end, more.bytes, more.length);
        end += more.length;
        data->length += more.length;
    }
    if (result == CHUNKED_END) {
        keep_ahead(framing, piece);
    }
}

enum chunked_result framing_read_body(struct framing *framing, struct str *piece,
                                      struct str *data_out)
{
    const size_t before = piece->length;
    const bool came_with_head = piece->bytes == input_str(&framing->input).bytes;
    const enum chunked_result result = body_read(&framing->body, piece, data_out);

    if (came_with_head) {
        input_consume(&framing->input, before - piece->length);
    } else if (result == CHUNKED_DATA && framing->memory) {
        gather_chunks(framing, piece, data_out);
    } else if (result == CHUNKED_END) {
        keep_ahead(framing, piece);
    }
    return result;
}

bool framing_has_unread(const struct framing *framing)
{
    return !framing->body.is_complete || !framing_is_empty(framing);
}

void framing_lose_track(struct framing *framing)
{
    framing->closes = true;
    framing->body.is_complete = false;
}

void framing_end_request(struct framing *framing)
{
    input_wipe_used(&framing->input);
    input_append(&framing->input, input_str(&framing->ahead));
    input_release(&framing->ahead);
}
