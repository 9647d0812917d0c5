#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "base/strbuf.h"
#include "http/response.h"
#include "http/transport.h"

/* A response on its way out: head, then bytes or a file. */
struct sender {
    struct strbuf head;
    struct str head_left;
    struct str bytes_left;
    int file_fd; /* -1: none; borrowed from the response */
    uint64_t file_offset_bytes;
    uint64_t file_left_bytes;
    uint64_t sent_body_bytes;
    const struct http_part *parts; /* that come behind this one; borrowed */
    size_t part_count;
    struct http_source *source; /* NULL: none; borrowed. What is left of it counts as a file's */
    struct strbuf piece;        /* of the source, on its way */
};

/* Holds no memory until sender_begin. */
void sender_init(struct sender *sender);
void sender_release(struct sender *sender);

/* Borrows body and file from the response until the sender is done. */
void sender_begin(struct sender *sender, const struct http_response *response,
                  const struct http_delivery *delivery);

/*
 * Sends until it is done, would have to wait, or has used up *budget_bytes. IO_DONE: look at
 * sender_is_done.
 */
enum io_result sender_run(struct sender *sender, struct transport *transport,
                          uint64_t *budget_bytes);

bool sender_is_done(const struct sender *sender);
bool sender_has_file(const struct sender *sender);

/* Whether there is nothing to send before another piece was taken from the source. */
bool sender_needs_piece(const struct sender *sender);

/* Takes one, on a carrier. False: there is none, and the response cannot be ended. */
bool sender_take_piece(struct sender *sender);
