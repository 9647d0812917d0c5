#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "base/log.h"
#include "base/str.h"

/*
 * Lines on their way to a descriptor, and the thread that writes them: whoever adds one never waits
 * for its reader. Used by many threads at once.
 */
struct log_queue;

enum { LOG_QUEUE_BYTES = 1024 * 1024 }; /* that may wait; more are dropped */

/* Writes to the log's descriptor; what had to be dropped is counted by a line in the log's form. */
MUST_USE enum error_code log_queue_new(const struct log *log, struct log_queue **queue_out,
                                       struct error *err);

/* A line with its end, of at most LOG_QUEUE_BYTES. */
void log_queue_add(struct log_queue *queue, struct str line);

/* Until all is written, but not for longer than that. A signal's handler may call it. */
void log_queue_await(const struct log_queue *queue, int timeout_ms);

/*
 * When nobody adds any more. A thread that still waits for its reader is left to that, since
 * nothing ends a write(2); it ends with the process, or frees the queue. NULL is accepted.
 */
void log_queue_free(struct log_queue *queue);
