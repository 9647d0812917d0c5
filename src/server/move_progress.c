#include "server/move_progress.h"

#include <inttypes.h>

enum {
    LINE_INTERVAL_MS = 10 * 1000, /* where lines do not stand over each other */
    BYTES_PER_MIB = 1024 * 1024,
};

void move_progress_begin(struct move_progress *progress, const char *what)
{
    progress->begun_ms = clock_monotonic_ms(progress->clock);
    progress->shown_ms = progress->begun_ms;
    (void)fprintf(progress->out, "pieroned migrate: %s\n", what);
}

static bool is_time_to_show(struct move_progress *progress)
{
    const int64_t now_ms = clock_monotonic_ms(progress->clock);
    const int64_t interval_ms = progress->is_terminal ? MS_PER_SECOND : LINE_INTERVAL_MS;

    if (now_ms - progress->shown_ms < interval_ms) {
        return false;
    }
    progress->shown_ms = now_ms;
    return true;
}

void move_progress_blobs(void *context, const struct blob_transfer_count *count)
{
    struct move_progress *progress = context;
    const uint64_t done = count->copied + count->present + count->damaged;
    uint64_t passed_ms = 0;

    if (!is_time_to_show(progress) && done < progress->blobs) {
        return;
    }
    passed_ms = (uint64_t)(clock_monotonic_ms(progress->clock) - progress->begun_ms) + 1;
    (void)fprintf(progress->out,
                  "%sblobs: %" PRIu64 " of %" PRIu64 " (%" PRIu64 " were there), %" PRIu64
                  " MiB copied of %" PRIu64 " MiB, %" PRIu64 " blobs/s, %" PRIu64 " MiB/s%s",
                  progress->is_terminal ? "\r" : "", done, progress->blobs, count->present,
                  count->copied_bytes / BYTES_PER_MIB, progress->blob_bytes / BYTES_PER_MIB,
                  count->copied * MS_PER_SECOND / passed_ms,
                  count->copied_bytes * MS_PER_SECOND / passed_ms / BYTES_PER_MIB,
                  progress->is_terminal && done < progress->blobs ? "\033[K" : "\n");
}

void move_progress_rows(void *context, const char *table, uint64_t rows)
{
    struct move_progress *progress = context;

    if (is_time_to_show(progress)) {
        (void)fprintf(progress->out, "%s: %" PRIu64 " rows\n", table, rows);
    }
}

void move_progress_damaged(void *context, const struct digest *digest, const char *reason)
{
    const struct move_progress *progress = context;
    char text[DIGEST_TEXT_BYTES];

    digest_format(digest, text);
    (void)fprintf(progress->out, "damaged: %s: %s\n", text, reason);
}
