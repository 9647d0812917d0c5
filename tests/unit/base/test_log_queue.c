#include "base/log_queue.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

/* More than a pipe and twice LOG_QUEUE_BYTES hold. */
enum { LINES = 40000, LINE_MAX_BYTES = 100, PATIENCE_MS = 60000 };

/* With a thread of its own, as a server has it. */
struct fixture {
    int fds[2];
    struct log log;
};

static void open_log(struct fixture *fixture)
{
    assert_int_equal(pipe(fixture->fds), 0);
    log_init(&fixture->log, fixture->fds[1], LOG_TEXT, LOG_ERROR, &clock_system);
    assert_int_equal(log_start_thread(&fixture->log, NULL), OK);
}

static void close_log(struct fixture *fixture)
{
    (void)close(fixture->fds[0]);
    (void)close(fixture->fds[1]);
}

/* Nobody reads until all are logged: that this ends shows that nobody waits for a reader. */
static void log_too_much(struct fixture *fixture)
{
    open_log(fixture);
    for (int i = 0; i < LINES; i++) {
        log_message(&fixture->log, LOG_ERROR, "line", "%06d of those that nobody reads", i);
    }
}

static void *read_to_the_end(void *argument)
{
    const struct fixture *fixture = argument;
    char *text = calloc(LINES, LINE_MAX_BYTES);
    size_t length = 0;
    ssize_t got = 0;

    while ((got = read(fixture->fds[0], text + length, (size_t)LINES * LINE_MAX_BYTES - length)) >
           0) {
        length += (size_t)got;
    }
    return text;
}

/* How many lines stand there before the one about those that were dropped. */
static int count_lines(const char *text)
{
    char wanted[LINE_MAX_BYTES];
    int count = 0;

    for (; !strstr(text, "lines_dropped") || strstr(text, "lines_dropped") > strchr(text, '\n');
         count++) {
        (void)snprintf(wanted, sizeof(wanted), " error line message=\"%06d of", count);
        assert_ptr_equal(strstr(text, wanted), strchr(text, ' '));
        text = strchr(text, '\n') + 1;
    }
    return count;
}

static void what_a_stalled_reader_missed_is_counted(void **state)
{
    struct fixture fixture;
    char told[LINE_MAX_BYTES];
    pthread_t reader;
    void *text = NULL;
    int count = 0;

    (void)state;
    log_too_much(&fixture);
    assert_int_equal(pthread_create(&reader, NULL, read_to_the_end, &fixture), 0);
    log_end_thread(&fixture.log, PATIENCE_MS);
    (void)close(fixture.fds[1]);
    assert_int_equal(pthread_join(reader, &text), 0);
    count = count_lines(text);
    assert_in_range(count, 1, LINES - 1);
    (void)snprintf(told, sizeof(told), " lines_dropped count=%d ", LINES - count);
    assert_non_null(strstr(text, told));
    free(text);
    (void)close(fixture.fds[0]);
}

static void a_reader_that_never_reads_does_not_prevent_the_end(void **state)
{
    struct fixture fixture;

    (void)state;
    log_too_much(&fixture);
    log_end_thread(&fixture.log, 1);
    (void)close(fixture.fds[0]); /* ends the thread's write; the other end is still the thread's */
}

static void a_log_without_a_reader_ends(void **state)
{
    struct fixture fixture;

    (void)state;
    open_log(&fixture);
    (void)close(fixture.fds[0]);
    log_message(&fixture.log, LOG_ERROR, "nobody", "reads this");
    log_end_thread(&fixture.log, PATIENCE_MS);
    (void)close(fixture.fds[1]);
}

static void queued_lines_are_written_before_the_end(void **state)
{
    struct fixture fixture;
    char text[1000] = "";

    (void)state;
    open_log(&fixture);
    log_message(&fixture.log, LOG_ERROR, "first", "1");
    log_message(&fixture.log, LOG_ERROR, "second", "2");
    log_end_thread(&fixture.log, PATIENCE_MS);
    log_message(&fixture.log, LOG_ERROR, "third", "3");
    assert_true(read(fixture.fds[0], text, sizeof(text) - 1) > 0);
    assert_non_null(strstr(text, "error first message=1\n"));
    assert_true(strstr(text, " second ") > strstr(text, " first "));
    assert_true(strstr(text, " third ") > strstr(text, " second "));
    close_log(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queued_lines_are_written_before_the_end),
        cmocka_unit_test(what_a_stalled_reader_missed_is_counted),
        cmocka_unit_test(a_reader_that_never_reads_does_not_prevent_the_end),
        cmocka_unit_test(a_log_without_a_reader_ends),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
