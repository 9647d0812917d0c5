#include "server/signals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void requests_wait_until_they_are_asked_for(void **state)
{
    (void)state;
    assert_int_equal(raise(SIGHUP), 0);
    assert_int_equal(signals_wait(), SIGNAL_RELOAD);
    assert_int_equal(raise(SIGTERM), 0);
    assert_int_equal(signals_wait(), SIGNAL_END);
    assert_int_equal(raise(SIGINT), 0);
    assert_int_equal(signals_wait(), SIGNAL_END);
}

static void a_broken_pipe_is_only_an_error(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(write(ends[1], "x", 1), -1);
    assert_int_equal(close(ends[1]), 0);
}

/* In a process of its own, since that is what ends. */
static void a_second_signal_ends_at_once(void **state)
{
    const pid_t child = fork();
    int status = 0;

    (void)state;
    assert_true(child >= 0);
    if (child == 0) {
        (void)raise(SIGTERM);
        if (signals_wait() == SIGNAL_END) {
            signals_end_at_once();
            (void)raise(SIGTERM);
        }
        _exit(EXIT_FAILURE);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_wait_until_they_are_asked_for),
        cmocka_unit_test(a_broken_pipe_is_only_an_error),
        cmocka_unit_test(a_second_signal_ends_at_once),
    };

    signals_block();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
