#include "server/signals.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>

static void fill_end_signals(sigset_t *set);

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

/* Their default action, ending the process, was only held up by the block. */
void signals_end_at_once(void)
{
    sigset_t set;

    fill_end_signals(&set);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
