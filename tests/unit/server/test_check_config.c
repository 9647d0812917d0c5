#include "server/check_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/support/temporary_folder.h"

struct outcome {
    bool is_valid;
    struct strbuf report;
    struct problems problems;
};

static void check(const char *data, const char *certificate, struct outcome *outcome)
{
    const struct settings_override overrides[] = {
        {"data", "data", data},
        {"tls.certificate", "certificate", certificate},
        {"tls.key", "key", certificate},
    };
    const struct settings_sources sources = {
        .overrides = overrides,
        .override_count = certificate ? 3 : 1,
    };

    strbuf_init(&outcome->report, CHECK_REPORT_MAX_BYTES);
    problems_init(&outcome->problems);
    outcome->is_valid = check_config(&sources, &outcome->report, &outcome->problems);
}

static void release(struct outcome *outcome)
{
    strbuf_release(&outcome->report);
    problems_release(&outcome->problems);
}

static int set_up(void **state)
{
    *state = temporary_folder_new();
    return 0;
}

static int tear_down(void **state)
{
    temporary_folder_free(*state);
    return 0;
}

static void right_settings_are_reported(void **state)
{
    struct outcome outcome;

    check(*state, NULL, &outcome);
    assert_true(outcome.is_valid);
    assert_true(str_starts_with(strbuf_str(&outcome.report),
                                "configuration is valid\nlisten: 127.0.0.1:8080 (plain HTTP)\n"));
    assert_non_null(strstr(outcome.report.text, *state));
    release(&outcome);
}

static void every_problem_is_told(void **state)
{
    struct outcome outcome;

    (void)state;
    check("/nowhere/at/all", "/nowhere/either", &outcome);
    assert_false(outcome.is_valid);
    assert_int_equal(outcome.problems.count, 2);
    assert_non_null(strstr(outcome.problems.lines.text, "data: cannot keep data in /nowhere/at"));
    assert_non_null(strstr(outcome.problems.lines.text, "TLS: "));
    assert_non_null(strstr(outcome.problems.lines.text, "/nowhere/either"));
    assert_string_equal(outcome.report.text, "configuration is not valid\n"
                                             "listen: 127.0.0.1:8080 (TLS)\n"
                                             "open: no identity provider, everybody who reaches "
                                             "it may push\n");
    release(&outcome);
}

static void wrong_settings_end_the_check(void **state)
{
    struct outcome outcome;

    (void)state;
    check("", NULL, &outcome);
    assert_false(outcome.is_valid);
    assert_string_equal(outcome.problems.lines.text, "--data: is empty");
    assert_string_equal(strbuf_str(&outcome.report).bytes, "");
    release(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(right_settings_are_reported, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_problem_is_told, set_up, tear_down),
        cmocka_unit_test(wrong_settings_end_the_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
