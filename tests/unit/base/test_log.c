#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    int fds[2];
    struct log log;
    char text[2 * LOG_LINE_MAX_BYTES];
};

static void open_log(struct fixture *fixture, enum log_format format, enum log_level level)
{
    assert_int_equal(pipe(fixture->fds), 0);
    log_init(&fixture->log, fixture->fds[1], format, level, &clock_system);
}

/* All that was logged. */
static const char *close_log(struct fixture *fixture)
{
    ssize_t length = 0;

    (void)close(fixture->fds[1]);
    length = read(fixture->fds[0], fixture->text, sizeof(fixture->text) - 1);
    fixture->text[length < 0 ? 0 : length] = '\0';
    (void)close(fixture->fds[0]);
    return fixture->text;
}

static void log_something(struct log *log)
{
    struct log_line line;

    log_begin(&line, log, LOG_INFO, "request");
    log_text(&line, "path", str_from("/v2/"));
    log_text(&line, "agent", str_from("a \"b\"\nc"));
    log_number(&line, "status", -1);
    log_end(&line);
}

static void text_lines_are_for_people(void **state)
{
    struct fixture fixture;

    (void)state;
    open_log(&fixture, LOG_TEXT, LOG_INFO);
    log_something(&fixture.log);
    assert_string_equal(strchr(close_log(&fixture), ' '),
                        " info request path=/v2/ agent=\"a \\\"b\\\"\\nc\" status=-1\n");
}

static void json_lines_are_for_machines(void **state)
{
    struct fixture fixture;
    const char *text = NULL;

    (void)state;
    open_log(&fixture, LOG_JSON, LOG_INFO);
    log_something(&fixture.log);
    text = close_log(&fixture);
    assert_memory_equal(text, "{\"time\":\"20", 11);
    assert_string_equal(strstr(text, ",\"level\""),
                        ",\"level\":\"info\",\"event\":\"request\",\"path\":\"/v2/\","
                        "\"agent\":\"a \\\"b\\\"\\nc\",\"status\":-1}\n");
}

static void lines_below_the_level_are_dropped(void **state)
{
    struct fixture fixture;

    (void)state;
    open_log(&fixture, LOG_TEXT, LOG_WARNING);
    log_something(&fixture.log);
    log_message(&fixture.log, LOG_DEBUG, "no", "no");
    log_message(&fixture.log, LOG_WARNING, "yes", "%d", 5);
    assert_non_null(strstr(close_log(&fixture), " warning yes message=5\n"));
    assert_null(strstr(fixture.text, "no"));
}

static void a_line_has_a_limit_and_still_ends(void **state)
{
    struct fixture fixture;
    struct log_line line;
    char value[LOG_LINE_MAX_BYTES];

    (void)state;
    memset(value, 'x', sizeof(value));
    open_log(&fixture, LOG_JSON, LOG_INFO);
    log_begin(&line, &fixture.log, LOG_INFO, "long");
    for (int i = 0; i < 20; i++) {
        log_text(&line, "a", (struct str){value, sizeof(value)});
        log_number(&line, "b", i);
    }
    log_end(&line);
    (void)close_log(&fixture);
    assert_int_equal(strcspn(fixture.text, "\n"), strlen(fixture.text) - 1);
    assert_true(strlen(fixture.text) <= LOG_LINE_MAX_BYTES + 2);
    assert_non_null(strstr(fixture.text, "}\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_lines_are_for_people),
        cmocka_unit_test(json_lines_are_for_machines),
        cmocka_unit_test(lines_below_the_level_are_dropped),
        cmocka_unit_test(a_line_has_a_limit_and_still_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
