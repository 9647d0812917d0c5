#include "cli/patience.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { TEXT_BYTES = 256 };

const char patience_login_server[] = "Waiting for the login server";

static char shown[TEXT_BYTES];
static volatile sig_atomic_t ticks;

static void write_text(const char *text, size_t length)
{
    (void)!write(STDERR_FILENO, text, length);
}

/* Only what a signal handler may do (POSIX 2.4.3). */
static void tick(int number)
{
    const int before = errno;

    (void)number;
    if (ticks == 0) {
        write_text(shown, strlen(shown));
    }
    ticks = 1;
    write_text(".", 1);
    errno = before;
}

static void set_timer(time_t seconds)
{
    const struct itimerval timer = {
        .it_interval = {.tv_sec = seconds},
        .it_value = {.tv_sec = seconds},
    };

    (void)setitimer(ITIMER_REAL, &timer, NULL);
}

void patience_begin(const char *text)
{
    const struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};

    ticks = 0;
    (void)snprintf(shown, sizeof(shown), "%s ", text);
    (void)sigaction(SIGALRM, &action, NULL);
    set_timer(1);
}

void patience_end(void)
{
    set_timer(0);
    if (ticks != 0) {
        write_text("\n", 1);
    }
    ticks = 0;
}
