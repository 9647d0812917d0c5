#include "server/process.h"

#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { LARGE_BUFFER_BYTES = 1024 * 1024 };

enum { LAST_WORDS_MS = 1000 };

/* A signal's handler is given nothing but the number. */
static const struct log *_Atomic kept_log;

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

static void fill_end_signals(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGTERM);
    (void)sigaddset(set, SIGINT);
}

void signals_block(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t set;

    fill_end_signals(&set);
    (void)sigaddset(&set, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

enum signal_request signals_wait(void)
{
    sigset_t set;
    int found = -1;

    fill_end_signals(&set);
    (void)sigaddset(&set, SIGHUP);
    while (found < 0) {
        found = sigwaitinfo(&set, NULL);
        assert(found >= 0 || errno == EINTR);
    }
    return found == SIGHUP ? SIGNAL_RELOAD : SIGNAL_END;
}

/* The log's thread does the writing: the others run on meanwhile. */
static void await_log(int number)
{
    const struct log *log = kept_log;

    if (log) {
        log_await(log, LAST_WORDS_MS);
    }
    (void)raise(number);
}

/* Whoever handles one of them already, as sanitizers do, goes on doing so. */
void signals_keep_log(const struct log *log)
{
    static const int faults[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    const struct sigaction await = {.sa_handler = await_log, .sa_flags = (int)SA_RESETHAND};

    kept_log = log;
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        struct sigaction present;

        if (sigaction(faults[i], NULL, &present) == 0 && present.sa_handler == SIG_DFL) {
            (void)sigaction(faults[i], &await, NULL);
        }
    }
}

/* Their default action, ending the process, was only held up by the block. */
void signals_end_at_once(void)
{
    sigset_t set;

    fill_end_signals(&set);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void notify_send(const char *socket_path, const char *state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const size_t length = socket_path ? strlen(socket_path) : 0;
    int fd;

    if (length == 0 || length >= sizeof(address.sun_path)) {
        return;
    }
    memcpy(address.sun_path, socket_path, length);
    if (socket_path[0] == '@') {
        address.sun_path[0] = '\0'; /* unix(7): the abstract name space */
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
                     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
        (void)close(fd);
    }
}
