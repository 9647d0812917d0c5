#include "server/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINES = 3000 };

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

/* In a process of its own: more lines than a pipe holds, and an end in the middle of them. */
static void an_abort_comes_behind_what_was_logged(void **state)
{
    char buffer[4096];
    int ends[2];
    int status = 0;
    size_t lines = 0;
    ssize_t length = 0;
    pid_t child = 0;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct log log;

        log_init(&log, ends[1], LOG_TEXT, LOG_INFO, &clock_system);
        if (log_start_thread(&log, NULL)) {
            _exit(EXIT_FAILURE);
        }
        signals_keep_log(&log);
        for (int i = 0; i < LINES; i++) {
            log_message(&log, LOG_INFO, "line", "%d", i);
        }
        abort();
    }
    assert_int_equal(close(ends[1]), 0);
    while ((length = read(ends[0], buffer, sizeof(buffer))) > 0) {
        for (ssize_t i = 0; i < length; i++) {
            lines += buffer[i] == '\n';
        }
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_int_equal(lines, LINES);
    assert_int_equal(close(ends[0]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_wait_until_they_are_asked_for),
        cmocka_unit_test(a_broken_pipe_is_only_an_error),
        cmocka_unit_test(a_second_signal_ends_at_once),
        cmocka_unit_test(an_abort_comes_behind_what_was_logged),
    };

    signals_block();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
