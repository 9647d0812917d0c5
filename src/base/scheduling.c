#include "base/scheduling.h"

#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

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
