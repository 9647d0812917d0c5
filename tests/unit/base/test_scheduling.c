#include "base/scheduling.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_gives_way_alone),
        cmocka_unit_test(a_thread_has_short_turns_where_the_kernel_has_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
