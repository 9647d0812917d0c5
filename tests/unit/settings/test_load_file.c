#include "settings/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/settings.h"

/* Applies the text; the problems that it made are returned in a buffer of the test. */
static const char *problems_of(const char *text, struct settings *settings)
{
    static char lines[4096];
    const struct settings_target target = settings_target(settings);
    struct problems problems;

    problems_init(&problems);
    settings_file_apply("pierone.yaml", str_from(text), &target, &problems);
    (void)snprintf(lines, sizeof(lines), "%.*s", STR_FORMAT(problems_lines(&problems)));
    problems_release(&problems);
    return lines;
}

static void a_file_sets_what_it_names(void **state)
{
    struct settings settings;

    (void)state;
    settings_init(&settings);
    assert_string_equal(problems_of("listen: \"[::1]:5000\"\n"
                                    "tls:\n"
                                    "  certificate: /a.pem\n"
                                    "  key: /b.pem\n"
                                    "limits: {head_size: 32K, idle_timeout: 75s, workers: 3}\n"
                                    "log:\n"
                                    "  level: debug\n"
                                    "tags:\n"
                                    "  snapshots: true\n",
                                    &settings),
                        "");
    assert_string_equal(settings.listen, "[::1]:5000");
    assert_string_equal(settings.tls.certificate, "/a.pem");
    assert_string_equal(settings.tls.key, "/b.pem");
    assert_int_equal(settings.limits.head_bytes, 32768);
    assert_int_equal(settings.limits.idle_timeout_ms, 75000);
    assert_int_equal(settings.limits.workers, 3);
    assert_int_equal(settings.log.level, LOG_DEBUG);
    assert_true(settings.registry.snapshots_move);
    settings_release(&settings);
}

static void nulls_and_empty_sections_leave_the_default(void **state)
{
    struct settings settings;

    (void)state;
    settings_init(&settings);
    assert_string_equal(
        problems_of("listen:\ndata: ~\ntls:\nlimits:\n  workers: null\n", &settings), "");
    assert_string_equal(settings.listen, "127.0.0.1:8080");
    assert_string_equal(settings.data, "data");
    assert_int_equal(settings.limits.workers, 16);
    settings_release(&settings);
}

static void each_problem_names_file_line_and_key(void **state)
{
    static const struct {
        const char *text;
        const char *problem;
    } cases[] = {
        {"listen: 127.0.0.1:1\ntls:\n  certificat: x\n",
         "pierone.yaml:3: unknown key \"tls.certificat\"; did you mean \"tls.certificate\"?"},
        {"certificate: x\n",
         "pierone.yaml:1: unknown key \"certificate\"; did you mean \"tls.certificate\"?"},
        {"colour: red\n", "pierone.yaml:1: unknown key \"colour\""},
        {"limit:\n  workers: 1\n  x: 2\n",
         "pierone.yaml:1: unknown key \"limit\"; did you mean \"limits\"?"},
        {"listen:\n  host: x\n", "pierone.yaml:1: listen: takes one value, not keys of its own"},
        {"tls: yes\n", "pierone.yaml:1: tls: is a section: its keys belong below it, indented"},
        {"data: \"\"\n", "pierone.yaml:1: data: is empty"},
        {"data: \"a\\0b\"\n", "pierone.yaml:1: data: holds a NUL character"},
        {"allow_open: yes\n", "pierone.yaml:1: allow_open: \"yes\" is neither true nor false"},
        {"log:\n  level: loud\n",
         "pierone.yaml:2: log.level: \"loud\" is not allowed: error, warning, info or debug"},
        {"limits:\n  head_size: 1K\n",
         "pierone.yaml:2: limits.head_size: \"1K\" is not allowed: 4KiB to 1MiB"},
        {"limits:\n  idle_timeout: 75\n",
         "pierone.yaml:2: limits.idle_timeout: \"75\" is not a duration: write a number with its "
         "unit, as in 500ms, 75s, 5m, 24h or 7d"},
        {"tls.key: x\n",
         "pierone.yaml:1: \"tls.key\" must be nested: a line \"tls:\" and, indented "
         "below it, \"key:\""},
        {"data: a\ndata: b\n", "pierone.yaml:2: \"data\" stands in line 1 already"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct settings settings;

        settings_init(&settings);
        assert_string_equal(problems_of(cases[i].text, &settings), cases[i].problem);
        settings_release(&settings);
    }
}

static void all_problems_are_reported_at_once(void **state)
{
    struct settings settings;

    (void)state;
    settings_init(&settings);
    assert_string_equal(
        problems_of("lisen: x\ntlss:\n  a: 1\n  b: 2\nallow_open: 1\ndata: d\n", &settings),
        "pierone.yaml:1: unknown key \"lisen\"; did you mean \"listen\"?\n"
        "pierone.yaml:2: unknown key \"tlss\"; did you mean \"tls\"?\n"
        "pierone.yaml:5: allow_open: \"1\" is neither true nor false");
    assert_string_equal(settings.data, "d");
    settings_release(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_sets_what_it_names),
        cmocka_unit_test(nulls_and_empty_sections_leave_the_default),
        cmocka_unit_test(each_problem_names_file_line_and_key),
        cmocka_unit_test(all_problems_are_reported_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
