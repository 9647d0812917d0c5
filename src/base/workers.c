#include "base/workers.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

enum { POOL_JOBS, POOL_QUEUED, POOL_WAIT };

static const struct metric pool_metrics[] = {
    [POOL_JOBS] = {METRIC_COUNTER, "jobs_total", "Jobs that a thread has taken"},
    [POOL_QUEUED] = {METRIC_GAUGE, "queued", "Jobs that wait for a thread"},
    [POOL_WAIT] = {METRIC_TIME, "wait_seconds", "How long jobs waited for a thread"},
};
static const struct metric_table pool_table = {"pierone_thread_pool", "pool", pool_metrics,
                                               ARRAY_LEN(pool_metrics)};

/*
 * A semaphore, not a condition variable: to signal one may wait until threads that were woken
 * earlier have run, and these let others go first. An event loop would wait for its workers.
 */
struct workers {
    pthread_mutex_t queue_mutex; /* guards queues */
    struct list_node queues[WORKERS_RANKS];
    sem_t is_due; /* as often as there are jobs, and threads that are to end behind them */
    unsigned count;
    pthread_t *threads;
    struct metric_group *metrics; /* NULL: nothing is counted */
};

static struct job *first_of(struct workers *workers)
{
    for (size_t rank = 0; rank < WORKERS_RANKS; rank++) {
        if (!list_is_empty(&workers->queues[rank])) {
            return (struct job *)workers->queues[rank].next; /* its first member */
        }
    }
    return NULL;
}

/* Waits for a job; NULL when it is time to end. */
static struct job *take_job(struct workers *workers)
{
    struct job *job = NULL;

    while (sem_wait(&workers->is_due) < 0 && errno == EINTR) {
    }
    (void)pthread_mutex_lock(&workers->queue_mutex);
    job = first_of(workers);
    if (job) {
        list_remove(&job->node);
    }
    (void)pthread_mutex_unlock(&workers->queue_mutex);
    return job;
}

/* Only what is counted is timed. */
static int64_t now_us(const struct workers *workers)
{
    return workers->metrics ? clock_elapsed_us() : 0;
}

static void count_taken(const struct workers *workers, const struct job *job)
{
    metric_add(workers->metrics, POOL_JOBS, 1);
    metric_subtract(workers->metrics, POOL_QUEUED, 1);
    metric_time(workers->metrics, POOL_WAIT, now_us(workers) - job->since_us);
}

static void *workers_work(void *argument)
{
    struct workers *workers = argument;

    scheduling_give_way();
    for (struct job *job = take_job(workers); job; job = take_job(workers)) {
        count_taken(workers, job);
        job->run(job);
    }
    return NULL;
}

enum error_code workers_new(unsigned count, const char *name, struct metrics *metrics,
                            struct workers **workers_out, struct error *err)
{
    struct workers *workers = memory_new(1, sizeof(*workers));

    workers->metrics = metrics_add_group(metrics, &pool_table, name);
    (void)pthread_mutex_init(&workers->queue_mutex, NULL);
    (void)sem_init(&workers->is_due, 0, 0);
    for (size_t rank = 0; rank < WORKERS_RANKS; rank++) {
        list_init(&workers->queues[rank]);
    }
    workers->threads = memory_new(count, sizeof(*workers->threads));
    for (; workers->count < count; workers->count++) {
        const int failure =
            pthread_create(&workers->threads[workers->count], NULL, workers_work, workers);

        if (failure != 0) {
            workers_free(workers);
            return error_set(err, ERROR_UNAVAILABLE, "cannot start a worker thread: %s",
                             strerrordesc_np(failure));
        }
    }
    *workers_out = workers;
    return OK;
}

void workers_submit(struct workers *workers, struct job *job)
{
    assert(job->rank < WORKERS_RANKS);
    metric_add(workers->metrics, POOL_QUEUED, 1);
    job->since_us = now_us(workers);
    (void)pthread_mutex_lock(&workers->queue_mutex);
    list_append(&workers->queues[job->rank], &job->node);
    (void)pthread_mutex_unlock(&workers->queue_mutex);
    (void)sem_post(&workers->is_due);
}

void workers_free(struct workers *workers)
{
    if (!workers) {
        return;
    }
    for (unsigned i = 0; i < workers->count; i++) {
        (void)sem_post(&workers->is_due);
    }
    for (unsigned i = 0; i < workers->count; i++) {
        (void)pthread_join(workers->threads[i], NULL);
    }
    (void)sem_destroy(&workers->is_due);
    (void)pthread_mutex_destroy(&workers->queue_mutex);
    free(workers->threads);
    free(workers);
}

/* As sched_setattr(2) has it; the C library does not, and the kernel's header contradicts it. */
struct attributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t niceness;
    uint32_t priority;
    uint64_t runtime_ns;
    uint64_t deadline_ns;
    uint64_t period_ns;
};

/* A thread's niceness is its own on Linux ("Nice value"). */
void scheduling_give_way(void)
{
    (void)!nice(SCHEDULING_NICENESS);
}

void scheduling_be_prompt(void)
{
    struct attributes attributes = {0};

    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) == 0) {
        attributes.runtime_ns = (uint64_t)SCHEDULING_TURN_US * 1000;
        (void)syscall(SYS_sched_setattr, 0, &attributes, 0);
    }
}
