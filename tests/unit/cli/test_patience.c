#include "cli/patience.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What stands on standard error after that many seconds, which signals play. */
static void assert_shows(int seconds, const char *expected)
{
    char shown[200] = "";
    int ends[2];
    const int before = dup(STDERR_FILENO);

    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    (void)close(ends[1]);
    patience_begin("Waiting for somebody");
    for (int i = 0; i < seconds; i++) {
        (void)raise(SIGALRM);
    }
    patience_end();
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    (void)close(before);
    assert_true(read(ends[0], shown, sizeof(shown) - 1) >= 0);
    (void)close(ends[0]);
    assert_string_equal(shown, expected);
}

static void what_is_quick_says_nothing(void **state)
{
    (void)state;
    assert_shows(0, "");
}

static void what_takes_long_is_told_once_and_dotted(void **state)
{
    (void)state;
    assert_shows(1, "Waiting for somebody .\n");
    assert_shows(3, "Waiting for somebody ...\n");
    assert_shows(0, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_quick_says_nothing),
        cmocka_unit_test(what_takes_long_is_told_once_and_dotted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
