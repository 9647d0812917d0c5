#include "base/workers.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

enum { JOBS = 1000, RUNS = 3 };

struct counting_job {
    struct job job; /* first */
    struct workers *workers;
    atomic_int *total;
    int runs;
};

static void run(struct job *job)
{
    struct counting_job *counting = (struct counting_job *)job;

    (void)atomic_fetch_add(counting->total, 1);
    if (++counting->runs < RUNS) {
        workers_submit(counting->workers, job);
    }
}

static void every_job_runs_as_often_as_it_is_queued(void **state)
{
    static struct counting_job jobs[JOBS];
    struct workers *workers = NULL;
    struct error err = {0};
    atomic_int total = 0;

    (void)state;
    assert_int_equal(workers_new(4, NULL, NULL, &workers, &err), OK);
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct counting_job){{.run = run}, workers, &total, 0};
        list_init(&jobs[i].job.node);
        workers_submit(workers, &jobs[i].job);
    }
    workers_free(workers);
    assert_int_equal(atomic_load(&total), JOBS * RUNS);
}

struct looking_job {
    struct job job; /* first */
    int niceness;
};

static void see_niceness(struct job *job)
{
    ((struct looking_job *)job)->niceness = getpriority(PRIO_PROCESS, 0);
}

static void they_leave_the_processor_to_others(void **state)
{
    const int mine = getpriority(PRIO_PROCESS, 0);
    struct looking_job job = {{.run = see_niceness}, 0};
    struct workers *workers = NULL;

    (void)state;
    list_init(&job.job.node);
    assert_int_equal(workers_new(1, NULL, NULL, &workers, NULL), OK);
    workers_submit(workers, &job.job);
    workers_free(workers);
    assert_int_equal(job.niceness,
                     mine + SCHEDULING_NICENESS < 19 ? mine + SCHEDULING_NICENESS : 19);
    assert_int_equal(getpriority(PRIO_PROCESS, 0), mine);
}

struct ranked_job {
    struct job job; /* first */
    sem_t *is_due;  /* waits for it, unless NULL */
    char *order;    /* where its name goes */
    size_t *count;
    char name;
};

static void sign(struct job *job)
{
    struct ranked_job *ranked = (struct ranked_job *)job;

    if (ranked->is_due) {
        (void)sem_wait(ranked->is_due);
    }
    ranked->order[(*ranked->count)++] = ranked->name;
}

/* While the only thread is busy with the first, the others queue. */
static void a_lower_rank_goes_first(void **state)
{
    static const char names[] = "xcdaeb";
    static const unsigned ranks[] = {0, 2, 2, 0, 2, 1};
    struct ranked_job jobs[sizeof(names) - 1];
    struct workers *workers = NULL;
    char order[sizeof(names)] = "";
    size_t count = 0;
    sem_t is_due;

    (void)state;
    (void)sem_init(&is_due, 0, 0);
    assert_int_equal(workers_new(1, NULL, NULL, &workers, NULL), OK);
    for (size_t i = 0; i < sizeof(names) - 1; i++) {
        jobs[i] = (struct ranked_job){
            {.run = sign, .rank = ranks[i]}, i == 0 ? &is_due : NULL, order, &count, names[i]};
        list_init(&jobs[i].job.node);
        workers_submit(workers, &jobs[i].job);
    }
    (void)sem_post(&is_due);
    workers_free(workers);
    (void)sem_destroy(&is_due);
    assert_string_equal(order, "xabcde");
}

static void nothing_can_be_freed(void **state)
{
    (void)state;
    workers_free(NULL);
}

struct look {
    void (*change)(void);
    int niceness;
    uint64_t attributes[6]; /* the fourth: sched_runtime in ns */
};

static void *look(void *context)
{
    struct look *look = context;

    look->change();
    look->niceness = getpriority(PRIO_PROCESS, 0);
    (void)!syscall(SYS_sched_getattr, 0, look->attributes, sizeof(look->attributes), 0);
    return NULL;
}

static struct look after(void (*change)(void))
{
    struct look seen = {.change = change};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, look, &seen), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return seen;
}

static void nothing(void)
{
}

static void a_thread_gives_way_alone(void **state)
{
    const int before = getpriority(PRIO_PROCESS, 0);
    const int nicer = before + SCHEDULING_NICENESS;

    (void)state;
    assert_int_equal(after(scheduling_give_way).niceness, nicer < 19 ? nicer : 19);
    assert_int_equal(getpriority(PRIO_PROCESS, 0), before);
}

static void a_thread_has_short_turns_where_the_kernel_has_them(void **state)
{
    const struct look before = after(nothing);
    const struct look seen = after(scheduling_be_prompt);

    (void)state;
    assert_int_equal(seen.niceness, before.niceness);
    if (before.attributes[3] == 0) {
        skip(); /* before Linux 6.12 */
    }
    assert_int_equal(seen.attributes[3], SCHEDULING_TURN_US * 1000);
}

static void run_once(struct job *job)
{
    (void)job;
}

static void what_waits_is_counted(void **state)
{
    struct metrics *const metrics = metrics_new();
    struct job jobs[3] = {{.run = run_once}, {.run = run_once}, {.run = run_once}};
    struct workers *workers = NULL;

    (void)state;
    assert_int_equal(workers_new(1, "worker", metrics, &workers, NULL), OK);
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        list_init(&jobs[i].node);
        workers_submit(workers, &jobs[i]);
        assert_true(jobs[i].since_us > 0);
    }
    workers_free(workers);
    assert_int_equal(metrics_number(metrics, "pierone_thread_pool", "worker", "jobs_total"), 3);
    assert_int_equal(metrics_number(metrics, "pierone_thread_pool", "worker", "wait_seconds"), 3);
    assert_int_equal(metrics_number(metrics, "pierone_thread_pool", "worker", "queued"), 0);
    metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_is_counted),
        cmocka_unit_test(every_job_runs_as_often_as_it_is_queued),
        cmocka_unit_test(they_leave_the_processor_to_others),
        cmocka_unit_test(a_lower_rank_goes_first),
        cmocka_unit_test(nothing_can_be_freed),
        cmocka_unit_test(a_thread_gives_way_alone),
        cmocka_unit_test(a_thread_has_short_turns_where_the_kernel_has_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
