#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "base/list.h"

/*
 * Threads that may block, and the queue of what waits for one of them. They leave the processor to
 * threads that must not wait (scheduling.h), which do not wait for them to run.
 */
struct workers;

enum { WORKERS_RANKS = 3 };

/* Something to do, embedded in what it is done to. Queued once at most, so that the queue is
 * bounded. */
struct job {
    struct list_node node;
    unsigned rank;                /* below WORKERS_RANKS; 0 goes first */
    void (*run)(struct job *job); /* may free the job, or queue it again */
};

/* Starts that many threads, with signals blocked. */
MUST_USE enum error_code workers_new(unsigned count, struct workers **workers_out,
                                     struct error *err);

/* Queues a job behind those of its rank that wait. From any thread. */
void workers_submit(struct workers *workers, struct job *job);

/* Runs what is queued, ends the threads and waits for them. NULL is accepted. */
void workers_free(struct workers *workers);
