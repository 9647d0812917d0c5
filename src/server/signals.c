#include "server/signals.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>

enum { LAST_WORDS_MS = 1000 };

/* A signal's handler is given nothing but the number. */
static const struct log *_Atomic kept_log;

static void fill_end_signals(sigset_t *set);
static void await_log(int number);

void signals_block(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t set;

    fill_end_signals(&set);
    (void)sigaddset(&set, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

static void fill_end_signals(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGTERM);
    (void)sigaddset(set, SIGINT);
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

/* The log's thread does the writing: the others run on meanwhile. */
static void await_log(int number)
{
    const struct log *log = kept_log;

    if (log) {
        log_await(log, LAST_WORDS_MS);
    }
    (void)raise(number);
}

/* Their default action, ending the process, was only held up by the block. */
void signals_end_at_once(void)
{
    sigset_t set;

    fill_end_signals(&set);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
