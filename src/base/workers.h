#pragma once

#include <stdint.h>

#include "base/attributes.h"
#include "base/error.h"
#include "base/list.h"
#include "base/metrics.h"

/*
 * Threads that may block, and the queue of what waits for one of them. They leave the processor to
 * threads that must not wait (scheduling_give_way), which do not wait for them to run.
 */
struct workers;

enum { WORKERS_RANKS = 3 };

/* Something to do, embedded in what it is done to. Queued once at most, so that the queue is
 * bounded. */
struct job {
    struct list_node node;
    unsigned rank;                /* below WORKERS_RANKS; 0 goes first */
    int64_t since_us;             /* it waits: workers_submit sets it */
    void (*run)(struct job *job); /* may free the job, or queue it again */
};

/* Starts that many threads, with signals blocked. What waits and for how long is counted under that
 * name (NULL without metrics). */
MUST_USE enum error_code workers_new(unsigned count, const char *name, struct metrics *metrics,
                                     struct workers **workers_out, struct error *err);

/* Queues a job behind those of its rank that wait. From any thread. */
void workers_submit(struct workers *workers, struct job *job);

/* Runs what is queued, ends the threads and waits for them. NULL is accepted. */
void workers_free(struct workers *workers);

/*
 * Which threads get a processor when all are busy (sched(7)). Of the calling thread alone; wishes,
 * which cannot fail: where the kernel knows no such thing, or does not allow it, nothing changes.
 */

enum { SCHEDULING_NICENESS = 10, SCHEDULING_TURN_US = 100 };

/* Leaves the processor to threads that must not wait: nicer by SCHEDULING_NICENESS. */
void scheduling_give_way(void);

/*
 * Asks for short turns (SCHEDULING_TURN_US), and so for the next one: on Linux since 6.12 a thread
 * that wakes up interrupts those whose turns are longer (sched_setattr(2), sched_runtime), which
 * otherwise go on for some milliseconds.
 */
void scheduling_be_prompt(void);
