#include "http/sender.h"

#include "http/request.h"

enum { HEAD_MAX_BYTES = HTTP_RESPONSE_HEADERS_MAX_BYTES + 512 };

void sender_init(struct sender *sender)
{
    *sender = (struct sender){.file_fd = -1};
    strbuf_init(&sender->head, HEAD_MAX_BYTES);
    strbuf_init(&sender->piece, HTTP_SOURCE_PIECE_MAX_BYTES);
}

void sender_release(struct sender *sender)
{
    strbuf_release(&sender->head);
    strbuf_release(&sender->piece);
    sender_init(sender);
}

static void begin_next_part(struct sender *sender)
{
    const struct http_part *const part = sender->parts++;

    sender->part_count--;
    sender->bytes_left = part->head;
    sender->file_offset_bytes = part->offset_bytes;
    sender->file_left_bytes = part->length_bytes;
}

void sender_begin(struct sender *sender, const struct http_response *response,
                  const struct http_delivery *delivery)
{
    strbuf_clear(&sender->head);
    http_response_write_head(response, delivery, &sender->head);
    sender->head_left = strbuf_str(&sender->head);
    sender->bytes_left = (struct str){0};
    sender->file_fd = -1;
    sender->file_left_bytes = 0;
    sender->sent_body_bytes = 0;
    sender->source = NULL;
    sender->part_count = 0;
    if (delivery->is_head || http_status_has_no_body(response->status)) {
        return;
    }
    if (response->file_fd < 0 && !response->source) {
        sender->bytes_left = response->body;
        return;
    }
    sender->file_fd = response->file_fd;
    sender->source = response->source;
    if (response->part_count > 0) {
        sender->parts = response->parts;
        sender->part_count = response->part_count;
        begin_next_part(sender);
        return;
    }
    sender->file_offset_bytes = response->file_offset_bytes;
    sender->file_left_bytes = response->file_length_bytes;
}

bool sender_is_done(const struct sender *sender)
{
    return sender->head_left.length + sender->bytes_left.length == 0 &&
           sender->file_left_bytes == 0;
}

bool sender_needs_piece(const struct sender *sender)
{
    return sender->source && sender->file_left_bytes > 0 &&
           sender->head_left.length + sender->bytes_left.length == 0;
}

static void skip(struct sender *sender, size_t sent)
{
    const size_t of_head = sent < sender->head_left.length ? sent : sender->head_left.length;

    sender->head_left = str_from_index(sender->head_left, of_head);
    sender->bytes_left = str_from_index(sender->bytes_left, sent - of_head);
    sender->sent_body_bytes += sent - of_head;
}

static enum io_result send_memory(struct sender *sender, struct transport *transport,
                                  size_t *sent_out)
{
    const enum io_result result = transport->driver->write(
        transport, sender->head_left, sender->bytes_left, sender->file_left_bytes > 0, sent_out);

    if (result == IO_DONE) {
        skip(sender, *sent_out);
    }
    return result;
}

static enum io_result send_file_slice(struct sender *sender, struct transport *transport,
                                      size_t *sent_out)
{
    const enum io_result result = transport->driver->send_file(
        transport, sender->file_fd, sender->file_offset_bytes, sender->file_left_bytes, sent_out);

    if (result == IO_DONE) {
        sender->file_offset_bytes += *sent_out;
        sender->file_left_bytes -= *sent_out;
        sender->sent_body_bytes += *sent_out;
    }
    return result;
}

enum io_result sender_run(struct sender *sender, struct transport *transport,
                          uint64_t *budget_bytes)
{
    while (!sender_is_done(sender) && !sender_needs_piece(sender) && *budget_bytes > 0) {
        const bool is_memory = sender->head_left.length + sender->bytes_left.length > 0;
        size_t sent = 0;
        const enum io_result result = is_memory ? send_memory(sender, transport, &sent)
                                                : send_file_slice(sender, transport, &sent);

        if (result != IO_DONE) {
            return result;
        }
        *budget_bytes -= sent < *budget_bytes ? sent : *budget_bytes;
        if (sender_is_done(sender) && sender->part_count > 0) {
            begin_next_part(sender);
        }
    }
    return sender_is_done(sender) && transport->driver->flush ? transport->driver->flush(transport)
                                                              : IO_DONE;
}

bool sender_has_file(const struct sender *sender)
{
    return sender->file_left_bytes > 0 && !sender->source;
}

bool sender_take_piece(struct sender *sender)
{
    struct strbuf *piece = &sender->piece;

    strbuf_clear(piece);
    if (!sender->source->read(sender->source, sender->file_offset_bytes, sender->file_left_bytes,
                              piece) ||
        piece->length == 0 || piece->length > sender->file_left_bytes) {
        return false;
    }
    sender->file_offset_bytes += piece->length;
    sender->file_left_bytes -= piece->length;
    sender->bytes_left = strbuf_str(piece);
    return true;
}
