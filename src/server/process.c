#include "server/process.h"

#include <malloc.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { LARGE_BUFFER_BYTES = 1024 * 1024 };

void process_keep_files_private(void)
{
    (void)umask(S_IRWXG | S_IRWXO);
}

void process_keep_memory_private(void)
{
    const struct rlimit none = {0, 0};

    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)setrlimit(RLIMIT_CORE, &none);
}

void process_return_memory(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BUFFER_BYTES);
}

uint64_t process_raise_descriptor_limit(void)
{
    struct rlimit limit = {0};

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) {
        return 0;
    }
    if (limit.rlim_cur < limit.rlim_max) {
        const struct rlimit raised = {limit.rlim_max, limit.rlim_max};

        if (setrlimit(RLIMIT_NOFILE, &raised) == 0) {
            return raised.rlim_cur;
        }
    }
    return limit.rlim_cur;
}

unsigned process_core_count(void)
{
    cpu_set_t cores;

    if (sched_getaffinity(0, sizeof(cores), &cores) < 0) {
        return 1; /* more cores than the set has room for */
    }
    return (unsigned)CPU_COUNT(&cores);
}
