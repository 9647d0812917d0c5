#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/digest.h"
#include "server/blob_transfer.h"

/* Shows whoever waits how far a move is: each second over the last line on a terminal, and a line
 * every ten seconds elsewhere. */
struct move_progress {
    FILE *out;
    bool is_terminal;
    const struct clock *clock;
    uint64_t blobs; /* to be moved in all */
    uint64_t blob_bytes;
    int64_t begun_ms; /* monotonic */
    int64_t shown_ms;
};

/* A part of it begins. */
void move_progress_begin(struct move_progress *progress, const char *what);

/* For struct blob_transfer and struct transfer; the context is the progress. */
void move_progress_blobs(void *context, const struct blob_transfer_count *count);
void move_progress_damaged(void *context, const struct digest *digest, const char *reason);
void move_progress_rows(void *context, const char *table, uint64_t rows);
