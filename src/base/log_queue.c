#include "base/log_queue.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

/* Lines gather for a moment, so that a busy server does not wake the thread for each. */
enum { GATHER_MS = 2, AWAIT_STEP_MS = 1 };

/* Two buffers: one is filled while the other is written, then they change places. */
struct log_queue {
    struct log log; /* without a queue: for what the thread itself has to say */
    pthread_t thread;
    sem_t is_filled; /* not a condition variable, for the reason that workers.c has */
    atomic_size_t unwritten_bytes;

    pthread_mutex_t mutex; /* guards what follows */
    char *filling;
    size_t filled_bytes;
    uint64_t dropped; /* since the buffers changed places */
    bool is_ending;
    bool is_abandoned; /* the thread outlives its owner, and releases all */

    char *writing; /* the thread's own */
};

/* True: there will be no more. */
static bool take_lines(struct log_queue *queue, struct str *lines_out, uint64_t *dropped_out)
{
    char *emptied = queue->writing;
    bool is_ending = false;

    (void)pthread_mutex_lock(&queue->mutex);
    *lines_out = (struct str){queue->filling, queue->filled_bytes};
    *dropped_out = queue->dropped;
    queue->writing = queue->filling;
    queue->filling = emptied;
    queue->filled_bytes = 0;
    queue->dropped = 0;
    is_ending = queue->is_ending;
    (void)pthread_mutex_unlock(&queue->mutex);
    return is_ending;
}

/* As many whole lines as arrive in one piece (pipe(7), PIPE_BUF), whoever else writes there. */
static size_t batch_length(struct str lines)
{
    const struct str piece = str_slice(lines, 0, PIPE_BUF);
    const size_t last = str_last_index_of(piece, '\n');

    return last < piece.length ? last + 1 : str_index_of(lines, '\n') + 1;
}

static void log_write_all(int fd, struct str lines)
{
    struct pollfd writable = {.fd = fd, .events = POLLOUT};
    size_t left_bytes = 0; /* of the batch */

    while (lines.length > 0) {
        ssize_t written = 0;

        left_bytes = left_bytes > 0 ? left_bytes : batch_length(lines);
        written = write(fd, lines.bytes, left_bytes);
        if (written < 0 && errno == EAGAIN) {
            (void)poll(&writable, 1, -1);
        } else if (written < 0 && errno != EINTR) {
            return; /* there is no reader any more */
        }
        if (written > 0) {
            left_bytes -= (size_t)written;
            lines = str_from_index(lines, (size_t)written);
        }
    }
}

/* Once one is dropped, all are until the buffers change places: so they came behind those that were
 * just written. */
static void tell_dropped(struct log *log, uint64_t dropped)
{
    struct log_line line;

    log_begin(&line, log, LOG_ERROR, "lines_dropped");
    log_number(&line, "count", (int64_t)dropped);
    log_text(&line, "message", str_from("whoever reads this log did not keep up"));
    log_end(&line);
}

static void log_release(struct log_queue *queue)
{
    (void)pthread_mutex_destroy(&queue->mutex);
    (void)sem_destroy(&queue->is_filled);
    free(queue->filling);
    free(queue->writing);
    free(queue);
}

static void *write_lines(void *argument)
{
    struct log_queue *queue = argument;
    bool is_last = false;

    while (!is_last) {
        uint64_t dropped = 0;
        struct str lines;

        while (sem_wait(&queue->is_filled) < 0 && errno == EINTR) {
        }
        (void)poll(NULL, 0, GATHER_MS);
        is_last = take_lines(queue, &lines, &dropped);
        log_write_all(queue->log.fd, lines);
        if (dropped > 0) {
            tell_dropped(&queue->log, dropped);
        }
        (void)atomic_fetch_sub(&queue->unwritten_bytes, lines.length);
    }
    if (queue->is_abandoned) {
        log_release(queue);
    }
    return NULL;
}

enum error_code log_queue_new(const struct log *log, struct log_queue **queue_out,
                              struct error *err)
{
    struct log_queue *queue = memory_new(1, sizeof(*queue));
    int failure = 0;

    queue->log = *log;
    queue->log.queue = NULL;
    queue->filling = memory_new(LOG_QUEUE_BYTES, 1);
    queue->writing = memory_new(LOG_QUEUE_BYTES, 1);
    (void)pthread_mutex_init(&queue->mutex, NULL);
    (void)sem_init(&queue->is_filled, 0, 0);
    failure = pthread_create(&queue->thread, NULL, write_lines, queue);
    if (failure != 0) {
        log_release(queue);
        return error_set(err, ERROR_UNAVAILABLE, "cannot start the log's thread: %s",
                         strerrordesc_np(failure));
    }
    *queue_out = queue;
    return OK;
}

void log_queue_add(struct log_queue *queue, struct str line)
{
    bool was_empty = false;

    assert(line.length <= LOG_QUEUE_BYTES);
    (void)pthread_mutex_lock(&queue->mutex);
    was_empty = queue->filled_bytes == 0;
    if (queue->dropped == 0 && line.length <= LOG_QUEUE_BYTES - queue->filled_bytes) {
        memcpy(queue->filling + queue->filled_bytes, line.bytes, line.length);
        queue->filled_bytes += line.length;
        (void)atomic_fetch_add(&queue->unwritten_bytes, line.length);
    } else {
        queue->dropped++;
    }
    (void)pthread_mutex_unlock(&queue->mutex);
    if (was_empty) {
        (void)sem_post(&queue->is_filled);
    }
}

void log_queue_await(const struct log_queue *queue, int timeout_ms)
{
    for (int waited_ms = 0; waited_ms < timeout_ms; waited_ms += AWAIT_STEP_MS) {
        if (atomic_load(&queue->unwritten_bytes) == 0) {
            return;
        }
        (void)poll(NULL, 0, AWAIT_STEP_MS);
    }
}

void log_queue_free(struct log_queue *queue)
{
    pthread_t thread;
    bool is_abandoned = false;

    if (!queue) {
        return;
    }
    thread = queue->thread;
    (void)pthread_mutex_lock(&queue->mutex);
    is_abandoned = atomic_load(&queue->unwritten_bytes) > 0;
    if (is_abandoned) {
        (void)pthread_detach(thread);
    }
    queue->is_abandoned = is_abandoned;
    queue->is_ending = true;
    (void)sem_post(&queue->is_filled);
    (void)pthread_mutex_unlock(&queue->mutex);
    if (!is_abandoned) {
        (void)pthread_join(thread, NULL);
        log_release(queue);
    }
}
